import { beforeEach, describe, expect, it } from 'vitest';
import { SeqTakenError, type Store } from '../../src/journal/port.ts';
import { tokenHash } from '../../src/service/access.ts';
import {
  CopyRefusedError,
  copyDirectory,
  copyProject,
  directoryOf,
  enterProjects,
  mustTakeDirectory,
} from '../../src/service/copying.ts';
import { addMember } from '../../src/service/members.ts';
import { MemoryStore } from '../support/memoryStore.ts';
import { openWorld, type World } from './world.ts';

describe('copying', () => {
  let world: World;
  let from: MemoryStore;
  let to: MemoryStore;
  let ids = 0;
  const options = {
    pause: async () => undefined,
    onProgress: () => undefined,
    now: () => world.world.now(),
    newId: () => `copy-${++ids}`,
  };
  const copy = () => copyProject(from, to, world.project, options);
  const commitsOf = async (store: Store, journal: string) => {
    const commits: unknown[] = [];
    for await (const commit of store.read(journal, 0)) commits.push(commit);
    return commits;
  };
  const expectCopied = async (journal: string) =>
    expect(await commitsOf(to, journal)).toEqual(await commitsOf(from, journal));

  beforeEach(async () => {
    world = await openWorld();
    from = world.store;
    to = new MemoryStore();
    await world.importSamples(300);
    await world.openRound(4);
    const ann = await world.member('ANNOTATOR');
    for (let hold = 1; hold <= 3; hold++) {
      await ann.live.execute('claim', { by: ann.viewer.member, hold }, () => undefined);
    }
  });

  it('takes the journal and the chunks that it names', async () => {
    const left = await from.putChunk(Uint8Array.of(1), 1);
    expect(await copy()).toEqual({ seq: await from.head(world.project), chunks: 2 });
    await expectCopied(world.project);
    for await (const { id } of from.chunks()) {
      expect(await to.getChunk(id)).toEqual(id === left ? undefined : await from.getChunk(id));
    }
  });

  it('goes on where one was cut short, and may be made again', async () => {
    to.mishaps.push(
      (land) => land(),
      (land) => land(),
      () => Promise.reject(new Error('cut short')),
    );
    await expect(copy()).rejects.toThrow();
    await copy();
    await copy();
    await expectCopied(world.project);
    await world.importSamples(3, 1);
    await copy();
    await expectCopied(world.project);
  });

  it('overwrites nothing', async () => {
    await to.append(world.project, { seq: 1, id: 'other', time: 1, events: [1] });
    await expect(copy()).rejects.toThrow(CopyRefusedError);
    expect(await to.head(world.project)).toBe(1);
  });

  it('refuses where the copy has gone its own way', async () => {
    await copy();
    const seq = (await to.head(world.project)) + 1;
    await to.append(world.project, { seq, id: 'own', time: 2e12, events: [1] });
    await expect(copy()).rejects.toThrow(CopyRefusedError);
    await world.importSamples(3, 1);
    await expect(copy()).rejects.toThrow(/another journal/);
  });

  it('gives up when somebody else writes there', async () => {
    to.mishaps.push(() => Promise.reject(new SeqTakenError(world.project, 1)));
    await expect(copy()).rejects.toThrow(SeqTakenError);
  });

  it('names a chunk that the source lacks', async () => {
    const { chunk } = await world.owner.live.read(({ samples }) => samples.payload(0));
    from.loseChunk(chunk);
    await expect(copy()).rejects.toThrow(`chunk ${chunk} is missing`);
    expect(await to.head(world.project)).toBe(0);
  });

  it('of a whole store takes the directory as it is, with the names of people', async () => {
    const { member } = await addMember(world.concord, world.owner, {
      name: 'Bo',
      kind: 'PERSON',
      role: 'VIEWER',
      tokenDays: null,
    });
    await copy();
    await copyDirectory(from, to, await from.head('directory'), options);
    await expectCopied('directory');
    expect(await to.getDocument('member-names', member)).toBe('Bo');
  });

  it('of a whole store is refused at once where the target has a directory of its own', async () => {
    await to.append('directory', { seq: 1, id: 'own', time: 1, events: [1] });
    const upTo = await from.head('directory');
    await expect(mustTakeDirectory(from, to, upTo)).rejects.toThrow(CopyRefusedError);
    await expect(mustTakeDirectory(from, new MemoryStore(), upTo)).resolves.toBeUndefined();
  });

  it('of one project enters it where others are, and its people can go on', async () => {
    const { secret: token, member } = await addMember(world.concord, world.owner, {
      name: 'Bo',
      kind: 'PERSON',
      role: 'ANNOTATOR',
      tokenDays: null,
    });
    await to.append('directory', {
      seq: 1,
      id: 'own',
      time: 1,
      events: [
        { type: 'memberAdded', member: 'chef', kind: 'PERSON', serviceOwner: true },
        { type: 'projectAdded', project: 'own', name: 'Own', by: 'chef' },
      ],
    });
    await copy();
    for (let i = 0; i < 2; i++) await enterProjects(from, to, [world.project], options);
    const directory = await directoryOf(to, options);
    expect([...directory.projects.keys()]).toEqual(['own', world.project]);
    expect(directory.token(tokenHash(token), world.world.now())).toMatchObject({ member });
    expect(directory.role(world.project, member)).toBe('ANNOTATOR');
    expect(directory.role('own', member)).toBeUndefined();
    expect(await to.getDocument('member-names', member)).toBe('Bo');
  });
});
