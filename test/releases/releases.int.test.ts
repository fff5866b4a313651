import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { allOf, type Client, createClient } from '@concord/sdk/client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decodeValue } from '../../src/journal/codec.ts';
import { openStore } from '../../src/journal/open.ts';
import type { Commit } from '../../src/journal/port.ts';
import { NAMES } from '../../src/service/labels.ts';
import { type Service, startService } from '../support/service.ts';

interface Kept {
  readonly journals: Readonly<Record<string, readonly Commit[]>>;
  readonly chunks: readonly Uint8Array[];
  readonly names: Readonly<Record<string, string>>;
}

interface Figures {
  readonly owner: string;
  readonly project: string;
  readonly annotator: string;
  readonly progress: object;
  readonly agreement: object;
  readonly members: readonly object[];
  readonly samples: readonly object[];
}

/** What earlier releases have written, served by this one. `scripts/keep-journals.ts` has made the files. */
describe.each(['0.1.0'])('the journals of release %s', (release) => {
  let folder: string;
  let service: Service;
  let figures: Figures;
  let client: Client;

  beforeAll(async () => {
    const file = (suffix: string) => readFile(new URL(`${release}.${suffix}`, import.meta.url));
    const kept = decodeValue(gunzipSync(await file('gz'))) as unknown as Kept;
    figures = JSON.parse((await file('json')).toString());
    folder = await mkdtemp(join(tmpdir(), 'concord-release-'));
    const store = await openStore(folder);
    for (const bytes of kept.chunks) await store.putChunk(bytes, Date.now());
    for (const [member, name] of Object.entries(kept.names)) await store.putDocument(NAMES, member, name);
    for (const [journal, commits] of Object.entries(kept.journals)) {
      for (const commit of commits) await store.append(journal, commit);
    }
    await store.close();
    service = await startService({ folder });
    client = createClient({ url: `${service.url}/graphql`, token: figures.owner });
  });
  afterAll(async () => {
    client?.close();
    await service?.close();
    await rm(folder, { recursive: true });
  });

  async function all<T>(pages: Parameters<typeof allOf<T>>[0]): Promise<T[]> {
    const found: T[] = [];
    for await (const one of allOf(pages)) found.push(one);
    return found;
  }

  it('come to the same figures, samples and people', async () => {
    const { project } = figures;
    expect(await client.progress({ project })).toEqual(figures.progress);
    // What was added since is no matter.
    expect(await client.agreement({ project })).toMatchObject(figures.agreement);
    const members = await all((after) => client.members({ project, first: 100, after }));
    expect(members.map(({ member, role }) => ({ name: member.name, role }))).toEqual(figures.members);
    const samples = await all((after) => client.annotatedSamples({ project, first: 100, after }));
    expect(samples.map(({ key, consensus }) => ({ key, consensus }))).toEqual(figures.samples);
  });

  it('hold tokens that go on working, as those that may do all that their members may', async () => {
    const annotator = createClient({ url: `${service.url}/graphql`, token: figures.annotator });
    const tokens = await all((after) => annotator.ownTokens({ first: 100, after }));
    expect(tokens).toHaveLength(2);
    for (const token of tokens) expect(token).toMatchObject({ label: '', project: null, role: null });
    expect((await annotator.project({ id: figures.project }))?.myRole).toBe('ANNOTATOR');
    annotator.close();
  });
});
