import { type Client, createClient } from '@concord/sdk/client';
import { BSON, MongoClient } from 'mongodb';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { TestDatabase } from '../journal/wire.ts';
import { describeNeeding } from '../support/needing.ts';
import { addMember, claim, createProject, importSamples } from '../support/project.ts';
import { type Service, startService } from '../support/service.ts';

const TEXT = 'a text that is to go';

describeNeeding('CONCORD_TEST_MONGODB', 'erasure over one MongoDB database', (server) => {
  let database: TestDatabase;
  let nodes: readonly [Service, Service];
  let here: Client;
  let there: Client;

  beforeEach(async () => {
    database = new TestDatabase(server);
    const first = await startService({ folder: database.url });
    nodes = [first, await startService({ folder: database.url })];
    [here, there] = nodes.map(({ url }) =>
      createClient({ url: `${url}/graphql`, token: first.ownerToken }),
    ) as [Client, Client];
  });
  afterEach(async () => {
    here.close();
    there.close();
    await Promise.all(nodes.map((node) => node.close()));
    await database.drop();
  });

  /** All documents of all collections, as bytes. */
  async function everything(): Promise<Buffer> {
    const client = await MongoClient.connect(database.url);
    try {
      const db = client.db();
      const all: Uint8Array[] = [];
      for (const { name, type } of await db.listCollections().toArray()) {
        if (type === 'view' || name.startsWith('system.')) continue;
        for await (const document of db.collection(name).find()) all.push(BSON.serialize(document));
      }
      return Buffer.concat(all);
    } finally {
      await client.close();
    }
  }

  it('leaves nothing in any collection, and another node shows it no more', async () => {
    const [node, other] = nodes;
    const project = await createProject(node, { policy: { withoutRound: 'POOL' } });
    const texts = [TEXT, 'one that stays'];
    await importSamples(
      node,
      project,
      texts.map((data, n) => ({ key: `k${n}`, data })),
    );
    const ann = await addMember(node, project, 'ANNOTATOR', { name: 'Ann Onymous' });
    expect((await claim(other, ann, project, 1)).assignments).toMatchObject([{ data: TEXT }]);
    const keys = ['k0', 'k1'];
    const found = await there.samplesWithKeys({ project, keys });
    expect(found).toMatchObject([{ data: TEXT }, { data: 'one that stays' }]);
    expect(await everything()).toSatisfy(
      (bytes: Buffer) => bytes.includes(TEXT) && bytes.includes('Onymous'),
    );

    const samples = [found?.[0]?.id ?? ''];
    expect(await here.eraseSamples({ project, samples, reason: 'UNLAWFUL' })).toEqual({ count: 1 });
    await here.erasePerson({ member: ann.id, reason: 'OBJECTION' });
    expect(await everything()).toSatisfy(
      (bytes: Buffer) => !bytes.includes(TEXT) && !bytes.includes('Onymous'),
    );
    expect(await everything()).toSatisfy((bytes: Buffer) => bytes.includes('one that stays'));
    // The other node has not followed perhaps: what it knows of the block leads to the one in its place.
    expect((await there.samplesWithKeys({ project, keys }))?.[1]).toMatchObject({ data: 'one that stays' });
    await vi.waitFor(
      async () => {
        expect(await there.samplesWithKeys({ project, keys })).toMatchObject([
          { data: null, isErased: true },
          { isErased: false },
        ]);
        expect((await other.ask(ann.token, '{ viewer { id } }')).status).toBe(401);
      },
      { timeout: 10_000, interval: 100 },
    );
  });
});
