import SchemaBuilder, { type ArgBuilder, type EnumRef } from '@pothos/core';
import RelayPlugin from '@pothos/plugin-relay';
import { GraphQLError } from 'graphql';
import { DateTimeISOResolver, JSONObjectResolver, JSONResolver } from 'graphql-scalars';
import { refuse } from '../domain/refusals.ts';
import type { PayloadPlace } from '../domain/sampleTable.ts';
import type { Viewer } from '../service/access.ts';
import type { Concord } from '../service/concord.ts';
import { BytesScalar } from './bytes.ts';
import { MAX_PAGE } from './connections.ts';
import { decodeNodeId } from './ids.ts';

/** What every resolver is given: the service, who asks (null: nobody has said), and what the answer holds. */
export interface Context {
  readonly concord: Concord;
  /**
   * Who asks; null: nobody has said. Where the answer is shared by an audience, there is no viewer.
   * @throws {Error} the answer is a shared one: see `sharing.ts`
   */
  readonly viewer: Viewer | null;
  readonly answer: Answer;
}

/** What an answer holds in memory until it is sent. What is too much is refused, as GraphQLErrors with codes. */
export interface Answer {
  /** Aborted when nobody waits for it any more. */
  readonly signal: AbortSignal;
  /** A sample's payload: counted whenever it is answered with, read and parsed once. */
  payload(place: PayloadPlace): Promise<unknown>;
  /** Counts people's own texts, which may be long. */
  texts<T extends string | readonly string[]>(texts: T): Promise<T>;
  /** In a stream: what was pushed has been sent, and the next push begins. */
  letGo(): void;
}

interface OwnTypes {
  Context: Context;
  DefaultFieldNullability: false;
  Scalars: {
    ID: { Input: string; Output: string };
    /** Answered as the service has it: in milliseconds since 1970. */
    DateTime: { Input: Date; Output: number };
    JSON: { Input: unknown; Output: unknown };
    JSONObject: { Input: Record<string, unknown>; Output: Readonly<Record<string, unknown>> };
    Bytes: { Input: Uint8Array; Output: Uint8Array };
  };
}

/** The most ids that one `nodes` takes. */
const MAX_NODES = 100;

/** The builder's types, as Pothos completes them. */
export type SchemaTypes = PothosSchemaTypes.ExtendDefaultTypes<OwnTypes>;

export const builder = new SchemaBuilder<OwnTypes>({
  defaultFieldNullability: false,
  plugins: [RelayPlugin],
  relay: {
    cursorType: 'String',
    clientMutationId: 'omit',
    decodeGlobalID: decodeNodeId,
    nodeTypeOptions: { description: 'Something with an id that is unique over the whole service.' },
    idFieldOptions: { description: 'Its id.' },
    nodeQueryOptions: {
      description: 'Anything by its id; null if there is no such thing, or it is not yours to see.',
      args: { id: { description: 'Its id.' } },
    },
    nodesQueryOptions: {
      description: `Several things by their ids, in the same order: at most ${MAX_NODES}.`,
      args: { ids: { description: 'Their ids.' } },
      resolve: (_, { ids }, __, ___, load) => {
        if (ids.length <= MAX_NODES) return load(ids);
        const problem = `${ids.length} ids are more than ${MAX_NODES}`;
        throw refuse('INVALID_INPUT', { field: 'ids', problem });
      },
    },
    defaultConnectionTypeOptions: { description: 'A page of a list.' },
    defaultEdgeTypeOptions: { description: 'An entry of a list and its place there.' },
    edgesFieldOptions: { description: 'The entries of the page.' },
    pageInfoFieldOptions: { description: 'Where the page lies in its list.' },
    nodeFieldOptions: { description: 'The entry.' },
    cursorFieldOptions: { description: 'Its place: give it as `after` or `before`.' },
    firstArgOptions: { description: `How many from the beginning: 1…${MAX_PAGE}; 50 by default.` },
    lastArgOptions: { description: `How many from the end: 1…${MAX_PAGE}.` },
    afterArgOptions: { description: 'Begins behind this cursor.' },
    beforeArgOptions: { description: 'Ends before this cursor.' },
    pageInfoTypeOptions: { description: 'Where a page lies in its list.' },
    hasNextPageFieldOptions: { description: 'Whether more follows.' },
    hasPreviousPageFieldOptions: { description: 'Whether something comes before.' },
    startCursorFieldOptions: { description: 'The cursor of its first entry; null if it is empty.' },
    endCursorFieldOptions: { description: 'The cursor of its last entry; null if it is empty.' },
  },
});

builder.queryType({ description: 'What can be asked.' });
builder.mutationType({
  description:
    'What can be done. Each answers with a union of its success and the refusals it can give; a refusal has changed nothing.',
});
builder.subscriptionType({
  description:
    'What is pushed. A feed gives every item once and in order, and resumes behind a cursor; a state begins as it is and is then coalesced to the newest.',
});
builder.addScalarType('DateTime', DateTimeISOResolver);
builder.addScalarType('JSON', JSONResolver);
builder.addScalarType('JSONObject', JSONObjectResolver);
builder.addScalarType('Bytes', BytesScalar);

/** An enum of the service's own words, each with what it means. */
export function enumType<T extends string>(
  name: string,
  description: string,
  meanings: Readonly<Record<T, string>>,
): EnumRef<SchemaTypes, T> {
  const values = Object.entries<string>(meanings).map(([value, about]) => [value, { description: about }]);
  return builder.enumType(name, { description, values: Object.fromEntries(values) }) as EnumRef<
    SchemaTypes,
    T
  >;
}

/** The arguments of a list that is walked forward only: see `forwardPage`. */
export function forwardArgs(arg: ArgBuilder<SchemaTypes>, max: number) {
  return {
    first: arg.int({ description: `How many: 1…${max}; 50 by default.` }),
    after: arg.string({ description: 'Begins behind this cursor.' }),
  };
}

/**
 * Who asks.
 * @throws {GraphQLError} UNAUTHENTICATED, the one refusal that is a top-level error
 */
export function viewerOf({ viewer }: Context): Viewer {
  if (viewer !== null) return viewer;
  throw new GraphQLError('This needs a token: send it as "Authorization: Bearer …".', {
    extensions: { code: 'UNAUTHENTICATED', http: { status: 401 } },
  });
}
