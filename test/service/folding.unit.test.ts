import { describe, expect, it } from 'vitest';
import { DIRECTORY_JOURNAL, DIRECTORY_KIND } from '../../src/service/directoryKind.ts';
import { DamagedJournalError, foldFromZero, JournalTooNewError } from '../../src/service/folding.ts';
import { PROJECT_KIND } from '../../src/service/projectKind.ts';
import { openWorld } from './world.ts';

const pause = async () => undefined;

describe('a journal', () => {
  it.each([
    ['of a type that is not known', { type: 'videoAdded' }, 'videoAdded'],
    ['without a type', { kind: 'videoAdded' }, 'object'],
    ['that is no object', 7, 'number'],
  ])('with an event %s was written by a newer Concord, and is refused', async (_, event, named) => {
    const { store, project } = await openWorld();
    await store.append(project, { seq: 2, id: 'x', time: 2e12, events: [event] });
    const folding = foldFromZero(store, project, PROJECT_KIND, { pause });
    await expect(folding).rejects.toThrow(JournalTooNewError);
    await expect(folding).rejects.toThrow(
      new RegExp(
        `journal ${project} .*newer version.*commit 2 .*type ${named},.*\\(fold \\d+\\).*use the version`,
      ),
    );
  });

  it('of the directory likewise', async () => {
    const { store } = await openWorld();
    const seq = (await store.head(DIRECTORY_JOURNAL)) + 1;
    await store.append(DIRECTORY_JOURNAL, { seq, id: 'x', time: 2e12, events: [{ type: 'teamAdded' }] });
    const folding = foldFromZero(store, DIRECTORY_JOURNAL, DIRECTORY_KIND, { pause });
    await expect(folding).rejects.toThrow(/newer version.*teamAdded/);
  });

  it('is not served half: the project is refused, and others go on', async () => {
    const { concord, store, project, owner } = await openWorld();
    const seq = (await store.head(project)) + 1;
    await store.append(project, { seq, id: 'x', time: 2e12, events: [{ type: 'videoAdded' }] });
    // The host hears of it when its own commit finds the place taken.
    const command = owner.live.execute(
      'changePolicy',
      { by: 'o', change: { paused: true } },
      () => undefined,
    );
    await expect(command).rejects.toThrow(JournalTooNewError);
    await expect(owner.live.read(({ seq }) => seq)).rejects.toThrow(JournalTooNewError);
    expect(await concord.directory.read(({ projects }) => projects.size)).toBe(1);
  });

  it('that lacks a chunk which the fold needs names it', async () => {
    const { store, project } = await openWorld();
    const verdicts = 'a'.repeat(64);
    const parts = [{ matrix: 'b'.repeat(64), verdicts, rows: 1 }];
    const event = { type: 'predictionsPublished', run: 1, model: 'm', parts, audits: new Uint32Array() };
    await store.append(project, { seq: 2, id: 'x', time: 2e12, events: [event] });
    const folding = foldFromZero(store, project, PROJECT_KIND, { pause });
    await expect(folding).rejects.toThrow(DamagedJournalError);
    await expect(folding).rejects.toThrow(`at commit 2: chunk ${verdicts} is missing`);
  });
});
