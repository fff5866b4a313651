import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClient } from '@concord/sdk/client';
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
  const connection = new Connection(url);
  const { token: annotator } = await client.addMember({
    project: project.id,
    role: 'ANNOTATOR',
    name: 'One',
  });
  const labelling = createClient({ url, token: annotator, fetch: connection.fetch });
  /** The sample that is labelled next. */
  let next: string | null = null;
  return {
    server,
    url,
    token,
    project: project.id,
    /** Labels a sample, which changes the progress that everybody sees. */
    async change(): Promise<void> {
      next ??= handed(await labelling.claim({ project: project.id, hold: 1 }));
      next = handed((await labelling.submit({ assignment: next, label: 'spam', hold: 1 })).queue);
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
      connection.close();
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
