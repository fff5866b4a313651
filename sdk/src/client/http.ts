import { type Answer, isAnswer, isRefusalCode, resultOf } from './answers.ts';
import { NetworkError, ServiceError, UnauthenticatedError } from './errors.ts';
import { StoreUnavailableError } from './generated/errors.ts';
import type { Operation, Transport } from './operation.ts';
import type { Settings } from './options.ts';
import { delayAfter, isRepeatable, pause } from './retry.ts';

/** Statuses with which something on the way says that the service is away for now. */
const AWAY = new Set([429, 502, 503, 504]);

/** The service says it of a request that it has not read, as it is about to stop. */
const RESTARTING = 'RESTARTING';

/** What Node says when a request cannot have arrived. */
const NEVER_SENT = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'UND_ERR_CONNECT_TIMEOUT']);

/** Calls over HTTP, tried again where that is safe. */
export function callOver(settings: Settings): Transport['call'] {
  return async <T>(
    operation: Operation,
    variables: object,
    { signal }: { readonly signal?: AbortSignal | undefined } = {},
  ): Promise<T> => {
    const body = JSON.stringify({
      operationName: operation.name,
      query: operation.document,
      variables,
    });
    let isTokenFresh = !settings.isTokenRenewable;
    for (let failures = 1; ; failures++) {
      signal?.throwIfAborted();
      try {
        return resultOf<T>(operation, await post(settings, operation, body, signal));
      } catch (error) {
        signal?.throwIfAborted();
        if (error instanceof UnauthenticatedError && !isTokenFresh) {
          // Who is not known is refused before anything is done, so even what is not repeatable may be sent again.
          isTokenFresh = true;
          continue;
        }
        if (failures >= settings.retry.attempts || !mayPass(operation, error)) throw error;
        await pause(delayAfter(failures, settings.retry), signal);
      }
    }
  };
}

/** Whether an error may be gone at the next attempt, and that attempt is safe. */
function mayPass(operation: Operation, error: unknown): boolean {
  if (error instanceof NetworkError) return error.retryable;
  return error instanceof StoreUnavailableError && isRepeatable(operation);
}

async function post(
  settings: Settings,
  operation: Operation,
  body: string,
  signal: AbortSignal | undefined,
): Promise<Answer> {
  const authorization = await settings.authorization();
  const limit = timeLimit(settings.timeoutMs, signal);
  const retryable = isRepeatable(operation);
  let response: Response;
  let text: string;
  try {
    response = await settings.fetch(settings.url, {
      method: 'POST',
      headers: {
        authorization,
        'content-type': 'application/json',
        accept: 'application/graphql-response+json, application/json;q=0.9',
      },
      body,
      signal: limit.signal,
    });
    text = await response.text();
  } catch (cause) {
    const { code = '', message = '' } = rootOf(cause);
    const what = limit.isOver()
      ? `did not answer within ${settings.timeoutMs} ms`
      : `could not be reached (${code || message})`;
    throw new NetworkError(`${operation.name}: ${settings.url} ${what}`, {
      retryable: retryable || NEVER_SENT.has(code),
      cause,
    });
  } finally {
    limit.lift();
  }
  const { status } = response;
  const answer = parsed(text);
  const [error] = isAnswer(answer) ? (answer.errors ?? []) : [];
  const code = error?.extensions?.['code'];
  if (AWAY.has(status) && !isRefusalCode(code)) {
    throw new NetworkError(
      `${operation.name}: ${settings.url} is away (HTTP ${status}${error ? `: ${error.message}` : ''})`,
      { retryable: retryable || code === RESTARTING },
    );
  }
  if (isAnswer(answer)) return answer;
  const message = `${operation.name}: ${settings.url} answered with HTTP ${status} and no GraphQL`;
  if (status === 401) throw new UnauthenticatedError(message);
  throw new ServiceError(message, { code: `HTTP_${status}` });
}

/**
 * A signal for one attempt: it follows the caller's, and aborts when the time is over. (`AbortSignal.any` and
 * `AbortSignal.timeout` would do, but hold on to a signal that outlives many calls, and to their timers.)
 */
function timeLimit(milliseconds: number, outer: AbortSignal | undefined) {
  const inner = new AbortController();
  let isOver = false;
  const follow = () => inner.abort(outer?.reason);
  const timer = setTimeout(() => {
    isOver = true;
    inner.abort();
  }, milliseconds);
  outer?.addEventListener('abort', follow);
  if (outer?.aborted) follow();
  return {
    signal: inner.signal,
    isOver: () => isOver,
    lift() {
      clearTimeout(timer);
      outer?.removeEventListener('abort', follow);
    },
  };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Where an error of `fetch` comes from: Node wraps the system's in a plain "fetch failed". */
function rootOf(error: unknown): { readonly code?: string; readonly message?: string } {
  const { cause } = error as { cause?: unknown };
  return (cause instanceof Error ? cause : error) as { code?: string; message?: string };
}
