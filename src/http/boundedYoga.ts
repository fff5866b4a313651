import type { IncomingMessage } from 'node:http';
import { type DocumentNode, GraphQLError } from 'graphql';
import type { Plugin } from 'graphql-yoga';
import type { Context } from '../graphql/builder.ts';
import type { HeldAnswer } from './answers.ts';
import type { Operations } from './operations.ts';

/** What an operation is run with. Over a WebSocket there is no request. */
type Bounded = Context & { readonly answer: HeldAnswer; readonly req?: IncomingMessage };

/** Has Yoga prepare and bound operations as the other ways do. */
export function boundedBy(operations: Operations): Plugin<Bounded> {
  const errorsOf = new WeakMap<DocumentNode, readonly GraphQLError[]>();
  return {
    onParams({ params }) {
      // Yoga would answer some with 200.
      if (params?.query != null) return;
      const message = 'There is no query: send one as JSON, {"query": "…"}, by POST, or as ?query=… by GET.';
      throw new GraphQLError(message, { extensions: { code: 'BAD_REQUEST', http: { status: 400 } } });
    },
    onParse({ params: { source }, setParseFn }) {
      setParseFn(() => {
        const { document, errors } = operations.prepare(typeof source === 'string' ? source : source.body);
        if (document === null) throw errors[0];
        errorsOf.set(document, errors);
        return document;
      });
    },
    onValidate({ params: { documentAST }, setResult }) {
      setResult([...(errorsOf.get(documentAST) ?? [])]);
    },
    async onExecute({
      args: { document, operationName, variableValues, contextValue },
      setResultAndStopExecution,
    }) {
      try {
        const cost = operations.cost(document, operationName, variableValues);
        operations.admit(contextValue.viewer, contextValue.req);
        return { onExecuteDone: await contextValue.answer.enter(cost) };
      } catch (error) {
        if (!(error instanceof GraphQLError)) throw error;
        setResultAndStopExecution({ errors: [error] });
        return undefined;
      }
    },
    onSubscribe({
      args: { document, operationName, variableValues, contextValue },
      setResultAndStopExecution,
    }) {
      try {
        operations.cost(document, operationName, variableValues);
        operations.admit(contextValue.viewer, contextValue.req);
        return { onSubscribeResult: () => ({ onNext: () => contextValue.answer.executed() }) };
      } catch (error) {
        if (!(error instanceof GraphQLError)) throw error;
        setResultAndStopExecution({ errors: [error] });
        return undefined;
      }
    },
  };
}
