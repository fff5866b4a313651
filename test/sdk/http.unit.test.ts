import {
  type ClientOptions,
  createClient,
  NetworkError,
  ServiceError,
  StoreUnavailableError,
  UnauthenticatedError,
} from '@concord/sdk/client';
import { describe, expect, it } from 'vitest';

const URL = 'http://127.0.0.1:1/graphql';
const VIEWER = { data: { viewer: { id: 'me', name: 'Ada', kind: 'PERSON' } } };
const UNAVAILABLE = { __typename: 'StoreUnavailableError', code: 'STORE_UNAVAILABLE', message: 'Not now.' };
const UNKNOWN_TOKEN = { errors: [{ message: 'Who?', extensions: { code: 'UNAUTHENTICATED' } }] };

type Reply = object | string | Error | ((request: RequestInit) => Promise<Response>);

function reply(body: object | string, status = 200): Response {
  return new Response(typeof body === 'string' ? body : JSON.stringify(body), { status });
}

/** A client whose calls are answered from a list, and what it sent. */
function clientOf(replies: readonly Reply[], options: Partial<ClientOptions> = {}) {
  const sent: { readonly headers: Headers; readonly body: Record<string, unknown> }[] = [];
  const client = createClient({
    url: URL,
    token: 'secret',
    retry: { attempts: 3, minDelayMs: 1, maxDelayMs: 2 },
    fetch: async (_, request = {}) => {
      sent.push({ headers: new Headers(request.headers), body: JSON.parse(String(request.body)) });
      const next = replies[Math.min(sent.length, replies.length) - 1];
      if (next instanceof Error) throw next;
      if (typeof next === 'function') return next(request);
      return reply(next ?? {});
    },
    ...options,
  });
  return { client, sent };
}

function failed(code: string): Error {
  return new TypeError('fetch failed', { cause: Object.assign(new Error(code), { code }) });
}

const lost = failed('ECONNRESET');
const refused = failed('ECONNREFUSED');
const newProject = { name: 'p', labels: ['a', 'b'] };

describe('a call', () => {
  it('is a POST as GraphQL over HTTP has it', async () => {
    const { client, sent } = clientOf([VIEWER]);
    expect(await client.viewer()).toEqual(VIEWER.data.viewer);
    expect(sent[0]?.headers.get('authorization')).toBe('Bearer secret');
    expect(sent[0]?.headers.get('accept')).toContain('application/graphql-response+json');
    expect(sent[0]?.body).toMatchObject({ operationName: 'Viewer', variables: {} });
  });

  it('is sent again when it was lost', async () => {
    const { client, sent } = clientOf([lost, () => Promise.resolve(reply('<html>', 503)), VIEWER]);
    expect(await client.viewer()).toEqual(VIEWER.data.viewer);
    expect(sent).toHaveLength(3);
  });

  it('is sent again in any case if the service has not read it, as it is restarting', async () => {
    const restarting = { errors: [{ message: 'Restarting.', extensions: { code: 'RESTARTING' } }] };
    const away = () => Promise.resolve(reply(restarting, 503));
    const { client, sent } = clientOf([away, { data: { createProject: { id: 'p' } } }]);
    expect(await client.createProject(newProject)).toEqual({ id: 'p' });
    expect(sent).toHaveLength(2);
    const gone = clientOf([away]);
    await expect(gone.client.viewer()).rejects.toMatchObject({
      code: 'NETWORK',
      message: expect.stringContaining('HTTP 503: Restarting.'),
    });
  });

  it('fails in the end', async () => {
    const { client, sent } = clientOf([lost]);
    const error = await client.claim({ project: 'p' }).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(NetworkError);
    expect(error).toMatchObject({ retryable: true, message: expect.stringContaining('ECONNRESET') });
    expect(sent).toHaveLength(3);
  });

  it('is not sent again if it may have arrived and would do more the second time', async () => {
    const { client, sent } = clientOf([lost]);
    await expect(client.createProject(newProject)).rejects.toMatchObject({
      code: 'NETWORK',
      retryable: false,
    });
    expect(sent).toHaveLength(1);
  });

  it('is sent again in any case if it cannot have arrived', async () => {
    const { client, sent } = clientOf([refused, { data: { createProject: { id: 'p' } } }]);
    expect(await client.createProject(newProject)).toEqual({ id: 'p' });
    expect(sent).toHaveLength(2);
  });

  it('is sent again while the store is out of reach, if that is safe', async () => {
    const claim = clientOf([{ data: { claim: UNAVAILABLE } }]);
    await expect(claim.client.claim({ project: 'p' })).rejects.toBeInstanceOf(StoreUnavailableError);
    expect(claim.sent).toHaveLength(3);
    const create = clientOf([{ data: { createProject: UNAVAILABLE } }]);
    await expect(create.client.createProject(newProject)).rejects.toBeInstanceOf(StoreUnavailableError);
    expect(create.sent).toHaveLength(1);
  });

  it('is sent once more with a fresh token, and only once', async () => {
    let given = 0;
    const options = { token: () => `token-${++given}` };
    const renewed = clientOf([UNKNOWN_TOKEN, VIEWER], options);
    expect(await renewed.client.viewer()).toEqual(VIEWER.data.viewer);
    expect(renewed.sent.map(({ headers }) => headers.get('authorization'))).toEqual([
      'Bearer token-1',
      'Bearer token-2',
    ]);
    const refusedAgain = clientOf([UNKNOWN_TOKEN], options);
    await expect(refusedAgain.client.viewer()).rejects.toBeInstanceOf(UnauthenticatedError);
    expect(refusedAgain.sent).toHaveLength(2);
    const fixed = clientOf([UNKNOWN_TOKEN]);
    await expect(fixed.client.viewer()).rejects.toBeInstanceOf(UnauthenticatedError);
    expect(fixed.sent).toHaveLength(1);
  });

  it('takes an answer that is no GraphQL for what it is', async () => {
    const { client, sent } = clientOf([() => Promise.resolve(reply('<html>', 404))]);
    const error = await client.viewer().catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ServiceError);
    expect(error).toMatchObject({ code: 'HTTP_404', message: expect.stringContaining(URL) });
    expect(sent).toHaveLength(1);
  });

  const never = ({ signal }: RequestInit) =>
    new Promise<Response>((_, reject) => {
      signal?.addEventListener('abort', () => reject(signal.reason));
    });

  it('takes its time, but not more', async () => {
    const { client } = clientOf([never], { timeoutMs: 20, retry: { attempts: 1 } });
    await expect(client.viewer()).rejects.toMatchObject({
      code: 'NETWORK',
      message: expect.stringContaining('did not answer within 20 ms'),
    });
  });

  it('is given up by a signal, while it waits and between attempts', async () => {
    for (const replies of [[never], [lost]] as const) {
      const { client } = clientOf(replies, {
        retry: { attempts: 9, minDelayMs: 60_000, maxDelayMs: 60_000 },
      });
      const signal = AbortSignal.timeout(30);
      const error = await client.viewer({ signal }).catch((thrown: unknown) => thrown);
      expect(error).toBe(signal.reason);
    }
  });
});

describe('options', () => {
  it.each([
    [{ url: 'localhost:4000', token: 't' }, /url is the GraphQL endpoint.*'localhost:4000'/],
    [{ url: 'nonsense', token: 't' }, /url is the GraphQL endpoint/],
    [{ url: URL, token: '' }, /token is a bearer token/],
  ])('are checked: %o', (options, message) => {
    expect(() => createClient(options)).toThrow(message);
  });
});
