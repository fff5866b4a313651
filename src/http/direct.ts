import type { IncomingMessage, ServerResponse } from 'node:http';
import { type ExecutionResult, OperationTypeNode } from 'graphql';
import type { Viewer } from '../service/access.ts';
import type { Answers } from './answers.ts';
import type { Authentication } from './authentication.ts';
import { shown } from './faults.ts';
import { kindOf, type Operations } from './operations.ts';
import { giveBack, isPlainJson, paramsIn, readBody } from './params.ts';

/**
 * The way of nearly every request: a program posts JSON with a good token and a query or mutation that runs. It
 * is answered as Yoga would answer it, at a third of the cost, for Yoga builds the objects of the Fetch API
 * around each request and answer. Whatever else comes, and whatever is wrong, is Yoga's.
 */
export class DirectRequests {
  readonly #authentication: Authentication;
  readonly #operations: Operations;
  readonly #answers: Answers;

  constructor(authentication: Authentication, operations: Operations, answers: Answers) {
    this.#authentication = authentication;
    this.#operations = operations;
    this.#answers = answers;
  }

  /**
   * Answers a request, if it is such a one.
   * @returns whether it was; if not, nothing was done, and its body can be read again
   */
  async answer(request: IncomingMessage, response: ServerResponse): Promise<boolean> {
    const mediaType = mediaTypeOf(request);
    if (mediaType === null) return false;
    const body = await readBody(request);
    // Who has gone away gets no answer.
    if (body === null) return true;
    const result = await this.#run(request, response, body);
    if (result === null) {
      giveBack(request, body);
      return false;
    }
    send(response, mediaType, result);
    return true;
  }

  /** Null: it is none of ours, and nothing was run. */
  async #run(
    request: IncomingMessage,
    response: ServerResponse,
    body: Buffer,
  ): Promise<ExecutionResult | null> {
    const params = paramsIn(body);
    if (params === null) return null;
    const { document, errors } = this.#operations.prepare(params.query);
    if (document === null || errors.length > 0) return null;
    const kind = kindOf(document, params.operationName);
    if (kind === null || kind === OperationTypeNode.SUBSCRIPTION) return null;
    const viewer = await this.#viewerOf(request);
    if (viewer === null) return null;
    try {
      this.#operations.cost(document, params.operationName, params.variables);
      this.#operations.admit(viewer, request);
    } catch {
      return null;
    }
    const answer = this.#answers.begin(viewer);
    response.once('close', () => answer.end());
    if (response.closed) answer.end();
    const result = await this.#operations.execute(document, { ...params, viewer, answer });
    if ('data' in result) return result;
    // Without data, nothing was run: the variables do not fit.
    answer.end();
    return null;
  }

  async #viewerOf({ headers }: IncomingMessage): Promise<Viewer | null> {
    const known = await this.#authentication.identify(headers.authorization);
    return 'viewer' in known ? known.viewer : null;
  }
}

const RESPONSE = 'application/graphql-response+json';
const JSON_TYPE = 'application/json';

/** What a plain request wants its answer to be; null if the request is not plain. */
function mediaTypeOf({ method, headers }: IncomingMessage): string | null {
  if (method !== 'POST' || headers.origin !== undefined || !isPlainJson(headers)) return null;
  if (headers.accept === JSON_TYPE) return JSON_TYPE;
  return headers.accept?.split(/[;,]/, 1)[0] === RESPONSE ? RESPONSE : null;
}

/** What an error may say to HTTP beside to GraphQL. */
interface ForHttp {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
}

function send(response: ServerResponse, mediaType: string, { data, errors }: ExecutionResult): void {
  let status = 200;
  for (const error of errors ?? []) {
    const { status: own = 200, headers = {} } = (error.extensions['http'] ?? {}) as ForHttp;
    status = Math.max(status, own);
    for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
  }
  const text = JSON.stringify(errors === undefined ? { data } : { errors: errors.map(shown), data });
  response.writeHead(status, {
    'content-type': `${mediaType}; charset=utf-8`,
    'content-length': Buffer.byteLength(text),
  });
  response.end(text);
}
