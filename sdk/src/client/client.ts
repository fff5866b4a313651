import { bindOperations, type Operations } from './generated/operations.ts';
import { callOver } from './http.ts';
import { type ConnectionState, LiveConnection } from './live.ts';
import { type ClientOptions, settingsOf } from './options.ts';

/** Every operation of a Concord service as a typed function. */
export interface Client extends Operations {
  /** How the connection of its streams is. */
  readonly connection: ConnectionState;
  /** Calls back whenever that has changed. The answer ends it. */
  onConnection(listener: () => void): () => void;
  /** Ends every stream and closes their connection. Calls under way are not touched. */
  close(): void;
}

/**
 * A client of a Concord service.
 *
 * Queries and mutations are promises. A refusal is thrown as an error of its own class
 * (`catch (error) { if (error instanceof UnknownLabelError) … error.known }`), as all other failures are; see
 * `ConcordError`. What failed on its way is tried again as `retry` says, where that is safe: queries, and mutations
 * that come to the same when they arrive twice. Those that would not (`createProject`, `addMember`, `issueToken`,
 * `revokeTokens`, `openRound`, `publishPredictions`) are tried again only if they cannot have arrived.
 *
 * Subscriptions (`watch…` for states, `follow…` for feeds) are async iterables that outlive lost connections:
 * they end when their reader leaves, when the client is closed, and with an error when the service refuses them.
 *
 * @throws {TypeError} an option cannot be used
 */
export function createClient(options: ClientOptions): Client {
  const settings = settingsOf(options);
  const live = new LiveConnection(settings);
  const operations = bindOperations({
    call: callOver(settings),
    stream: (operation, variables, callOptions) => live.stream(operation, variables, callOptions),
  });
  return {
    ...operations,
    get connection() {
      return live.state;
    },
    onConnection: (listener) => live.onState(listener),
    close: () => live.close(),
  };
}
