import type { Client } from '@concord/sdk/client';
import { bindOperations } from '../../sdk/src/client/generated/operations.ts';

/** What an operation is given: a mutation its input. */
type Variables = Readonly<Record<string, unknown>>;

/** Answers an operation: with a value, or by throwing. */
export type Answerer = (variables: Variables, call: number) => unknown;

/** A client whose operations are answered by functions, by name; `calls` has what they were given. */
export function fakeClient(answerers: Readonly<Record<string, Answerer>>) {
  const calls: Record<string, Variables[]> = {};
  const answer = (name: string, variables: object): unknown => {
    const answerer = answerers[name];
    if (answerer === undefined) throw new Error(`nobody answers ${name}`);
    const input = ('input' in variables ? variables.input : variables) as Variables;
    const given = calls[name] ?? [];
    calls[name] = [...given, input];
    return answerer(input, given.length);
  };
  const operations = bindOperations({
    call: async <T>({ name }: { name: string }, variables: object) => (await answer(name, variables)) as T,
    async *stream<T>({ name }: { name: string }, variables: object) {
      yield* answer(name, variables) as Iterable<T>;
    },
  });
  const client: Client = {
    ...operations,
    connection: 'CLOSED',
    onConnection: () => () => {},
    close: () => {},
  };
  return { client, calls };
}
