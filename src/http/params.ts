import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';

/** Whether a body is JSON as nearly everybody sends it. */
export function isPlainJson(headers: IncomingHttpHeaders): boolean {
  return (
    headers['content-encoding'] === undefined &&
    /^application\/json(; ?charset=utf-8)?$/i.test(headers['content-type'] ?? '')
  );
}

/** Has a body that was read here read again by Yoga, which looks where frameworks leave such. */
export function giveBack(request: IncomingMessage, body: Buffer): void {
  Object.assign(request, { body: Readable.from([body]) });
}

/** A request's body; null if it breaks off. */
export function readBody(request: IncomingMessage): Promise<Buffer | null> {
  return new Promise((resolve) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.once('end', () => resolve(Buffer.concat(parts)));
    request.once('close', () => resolve(null));
  });
}

export interface Params {
  readonly query: string;
  readonly operationName: string | null | undefined;
  readonly variables: Readonly<Record<string, unknown>> | null | undefined;
}

const PARAMS: ReadonlySet<string> = new Set(['query', 'variables', 'operationName', 'extensions']);

/** What is asked; null if it is not as it should be. */
export function paramsIn(body: Buffer): Params | null {
  return paramsOf(parsed(body.toString()));
}

/** What is asked by a URL, as GraphQL over HTTP has it; null if it is not as it should be. */
export function paramsOfUrl(url: string): Params | null {
  const search = new URLSearchParams(url.slice(url.indexOf('?') + 1));
  const { variables, extensions, ...params } = Object.fromEntries(search);
  return paramsOf({
    ...params,
    ...(variables === undefined ? {} : { variables: parsed(variables) }),
    ...(extensions === undefined ? {} : { extensions: parsed(extensions) }),
  });
}

/** A JSON text's value; undefined if it is none. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function paramsOf(params: unknown): Params | null {
  if (!isObject(params) || !Object.keys(params).every((name) => PARAMS.has(name))) return null;
  const { query, operationName, variables, extensions } = params;
  if (typeof query !== 'string' || !isObject(extensions ?? {}) || !isObject(variables ?? {})) return null;
  if (operationName != null && typeof operationName !== 'string') return null;
  return { query, operationName, variables: variables as Params['variables'] };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
