import { once } from 'node:events';
import { createServer } from 'node:net';
import { ServiceProcess } from '../http/serviceProcess.ts';
import type { Data, Reply, ReplyError, Service, Variables } from '../support/service.ts';

export const OWNER_TOKEN = 'owner_'.padEnd(40, '0');
export const SECRET = 'secret_'.padEnd(40, '0');

/** A node as the helpers of the API's tests take it: what they need of a service. */
export interface Node extends Pick<Service, 'url' | 'ownerToken' | 'ask' | 'query'> {
  readonly process: ServiceProcess;
}

/** A node of its own process over a database. The owner's token is the same at each. */
export async function startNode(url: string, env: Readonly<Record<string, string>> = {}): Promise<Node> {
  const process = await ServiceProcess.ready({
    args: ['--store', url, '--port', '0', '--node-address', `127.0.0.1:${await freePort()}`],
    env: { CONCORD_OWNER_TOKEN: OWNER_TOKEN, CONCORD_CLUSTER_SECRET: SECRET, ...env },
  });
  const ask = <T>(token: string | null, document: string, variables: Variables = {}) =>
    post<T>(process.url, token, document, variables);
  return {
    process,
    url: process.url,
    ownerToken: OWNER_TOKEN,
    ask,
    async query<T = Data>(token: string | null, document: string, variables: Variables = {}) {
      const { data, errors } = await ask<T>(token, document, variables);
      if (errors.length > 0 || !data) throw new Error(`${JSON.stringify(errors)} in answer to ${document}`);
      return data;
    },
  };
}

async function post<T>(
  url: string,
  token: string | null,
  query: string,
  variables: Variables,
): Promise<Reply<T>> {
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      ...(token === null ? {} : { authorization: `Bearer ${token}` }),
    },
    body: JSON.stringify({ query, variables }),
  });
  const { data, errors = [] } = (await response.json()) as { data?: T | null; errors?: ReplyError[] };
  return { status: response.status, headers: response.headers, data, errors };
}

/** A port that nobody listens at. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address ? address.port : 0;
}
