import { freePort } from '../../bench/scale/freePort.ts';
import { ServiceProcess } from '../http/serviceProcess.ts';
import { clientOf, type Service } from '../support/service.ts';

const OWNER_TOKEN = 'owner_'.padEnd(40, '0');
const SECRET = 'secret_'.padEnd(40, '0');

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
  return { ...clientOf(process.url), process, ownerToken: OWNER_TOKEN };
}
