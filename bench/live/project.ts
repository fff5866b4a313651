import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Client, createClient } from '@concord/sdk/client';
import { connectDriver } from '@concord/sdk/driver';
import { Connection } from '../scale/connection.ts';
import { ServerProcess } from './process.ts';

/** The service with one project, in a process of its own. */
export async function openProject(
  samples: number,
  policy: object = {},
  labels: readonly string[] = ['spam', 'ham'],
) {
  const folder = await mkdtemp(join(tmpdir(), 'concord-live-'));
  const token = `owner_${randomBytes(24).toString('base64url')}`;
  const server = await ServerProcess.start('concordServer', [folder, token]);
  const url = `${server.url}/graphql`;
  const driver = connectDriver({ url, token });
  const client = createClient({ url, token });
  const project = await driver.createProject({
    name: 'Live',
    labels: [...labels],
    policy: { workSessionMinutes: 0, withoutRound: 'POOL', ...policy },
  });
  const all = Array.from({ length: samples }, (_, i) => ({ key: `${i}`, data: { text: `sample ${i}` } }));
  await project.importSamples(all, { importId: 'first' });
  const people: { readonly client: Client; readonly connection: Connection; next: string | null }[] = [];
  for (const name of ['One', 'Two']) {
    const { token: own } = await client.addMember({ project: project.id, role: 'ANNOTATOR', name });
    const connection = new Connection(url);
    people.push({
      client: createClient({ url, token: own, fetch: connection.fetch }),
      connection,
      next: null,
    });
  }
  return {
    server,
    url,
    token,
    project: project.id,
    /** Labels a sample, which changes the progress that everybody sees. Two people may do so at a time: 0 and 1. */
    async change(by = 0): Promise<void> {
      const person = people[by];
      if (person === undefined) throw new Error(`there is no person ${by}`);
      const { client } = person;
      person.next ??= handed(await client.claim({ project: project.id, hold: 1 }));
      person.next = handed((await client.submit({ assignment: person.next, label: 'spam', hold: 1 })).queue);
    },
    /** So many annotators' tokens. */
    async annotators(count: number): Promise<string[]> {
      const tokens: string[] = [];
      for (let i = 0; i < count; i++) {
        const { token: own } = await client.addMember({
          project: project.id,
          role: 'ANNOTATOR',
          name: `A${i}`,
        });
        tokens.push(own);
      }
      return tokens;
    },
    async close(): Promise<void> {
      for (const { connection } of people) connection.close();
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

export type OpenProject = Awaited<ReturnType<typeof openProject>>;

function handed({ assignments: [first] }: { readonly assignments: readonly { readonly id: string }[] }) {
  if (first === undefined) throw new Error('there is nothing left to label');
  return first.id;
}
