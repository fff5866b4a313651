import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decide } from '../../src/domain/commands.ts';
import type { ProjectEvent } from '../../src/domain/events.ts';
import { Project } from '../../src/domain/project.ts';
import {
  FOLD_VERSION,
  type ProjectState,
  restoreProject,
  saveProject,
} from '../../src/domain/projectState.ts';
import { dump } from './dump.ts';
import { pool, type Scenario } from './scenario.ts';
import { story, Tale } from './story.ts';

/** FC_NUM_RUNS hunts longer; FC_SEED and FC_PATH repeat a failure. */
const { FC_NUM_RUNS, FC_SEED, FC_PATH } = process.env;
const OPTIONS: fc.Parameters<unknown> = {
  numRuns: Number(FC_NUM_RUNS ?? 100),
  ...(FC_SEED ? { seed: Number(FC_SEED) } : {}),
  ...(FC_PATH ? { path: FC_PATH } : {}),
};
const TIMEOUT = Math.max(30_000, (OPTIONS.numRuns ?? 0) * 100);

/** As a snapshot does it: the state outlives the project that it was taken of. */
function restored(project: Project): Project {
  return finished(restoreProject(copied(saveProject(project))));
}

function copied({ columns, lists }: ProjectState): ProjectState {
  return structuredClone({
    columns: new Map(columns),
    lists: new Map([...lists].map(([name, values]) => [name, [...values]])),
  });
}

function finished<T>(work: Generator<void, T, void>): T {
  for (;;) {
    const step = work.next();
    if (step.done) return step.value;
  }
}

/** What somebody gets who claims as much as they may; it is folded. */
function claims(project: Project, by: string, now: number): ProjectEvent[] {
  let ids = 0;
  const moment = { now, newId: () => `next ${by} ${++ids}`, chunks: noChunks };
  const events: ProjectEvent[] = [];
  for (const event of decide(project, 'claim', { by, hold: 100 }, moment)) {
    events.push(event);
    project.fold(event, project.seq + 1, now, noChunks);
  }
  return events;
}

function noChunks(id: string): never {
  throw new Error(`no chunk ${id}`);
}

/** Folds the commits from a place on, as a host folds the tail of a journal. */
function foldTail({ commits, chunks }: Scenario, project: Project, from: number): void {
  for (const { seq, time, events } of commits.slice(from)) {
    for (const event of events) project.fold(event, seq, time, (id) => chunks.get(id) ?? noChunks(id));
  }
}

describe('a project that is brought back from its state', () => {
  it('is the same, whatever has happened, and goes on in the same way', { timeout: TIMEOUT }, () => {
    fc.assert(
      fc.property(story, ({ steps, ...beginning }) => {
        const tale = new Tale(beginning);
        for (const step of steps) tale.play(step);
        const { scenario, members } = tale;
        const twin = restored(scenario.project);
        expect(dump(twin)).toEqual(dump(scenario.project));
        scenario.onEvent = () => {};
        for (const by of [...members, 'somebody new']) {
          expect(claims(twin, by, scenario.now)).toEqual(claims(scenario.project, by, scenario.now));
        }
        expect(dump(twin)).toEqual(dump(scenario.project));
      }),
      OPTIONS,
    );
  });

  it('takes the tail of the journal as the original took it', { timeout: TIMEOUT }, () => {
    fc.assert(
      fc.property(story, fc.nat({ max: 80 }), ({ steps, ...beginning }, middle) => {
        const tale = new Tale(beginning);
        const { scenario } = tale;
        for (const step of steps.slice(0, middle)) tale.play(step);
        const twin = restored(scenario.project);
        const from = scenario.commits.length;
        for (const step of steps.slice(middle)) tale.play(step);
        foldTail(scenario, twin, from);
        expect(dump(twin)).toEqual(dump(scenario.project));
        // Once more, from what has grown after it was brought back.
        expect(dump(restored(twin))).toEqual(dump(scenario.project));
      }),
      OPTIONS,
    );
  });

  it('knows the imports that it had, and takes none twice', () => {
    const scenario = pool(3).imported(2);
    const twin = restored(scenario.project);
    expect(twin.imported('i0', 0)).toEqual({ first: 0, count: 3 });
    expect(twin.imported('i3', 0)).toEqual({ first: 3, count: 2 });
    expect(twin.imported('i3', 1)).toBeUndefined();
    expect(twin.samples.keys.indexOf('s4')).toBe(4);
    expect(twin.samples.keys.add('s4')).toBe(-1);
    expect(twin.samples.keys.add('s5')).toBe(5);
  });

  it('may be empty', () => {
    const twin = restored(new Project());
    expect(twin.isCreated).toBe(false);
    const scenario = pool(3);
    foldTail(scenario, twin, 0);
    expect(dump(twin)).toEqual(dump(scenario.project));
  });

  it('has nothing in common with the original', () => {
    const scenario = pool(3);
    const before = dump(scenario.project);
    const twin = restored(scenario.project);
    claims(twin, 'ann', scenario.now);
    expect(dump(scenario.project)).toEqual(before);
  });

  it('has the parts that belong to its version: where these change, raise FOLD_VERSION', () => {
    const { columns, lists } = saveProject(pool(1).project);
    expect(`${FOLD_VERSION}: ${[...columns.keys()].join(' ')}`).toMatchInlineSnapshot(
      `"18: samples.keys.bytes samples.keys.ends samples.overlap samples.extra samples.counted samples.live samples.skips samples.predicted samples.confidence samples.assignments samples.position samples.round samples.flags assignments.keys.bytes assignments.keys.ends assignments.sample assignments.annotator assignments.next assignments.until assignments.grantedAt assignments.answeredAt assignments.milliseconds assignments.label assignments.suggestion assignments.first assignments.round assignments.run assignments.predicted assignments.expiries assignments.placed assignments.rating assignments.twin assignments.state assignments.draw assignments.mode held activity work.stretches work.bins"`,
    );
    expect(`${FOLD_VERSION}: ${[...lists.keys()].join(' ')}`).toMatchInlineSnapshot(
      `"18: project imports rulings gold goldAnswers blocks replaced annotators runs runProgress rounds roundProgress"`,
    );
  });

  it.each(['columns', 'lists'] as const)('is refused if any of the %s is missing', (kind) => {
    const state = copied(saveProject(pool(3).project));
    for (const name of state[kind].keys()) {
      const partial = { ...state, [kind]: new Map([...state[kind]].filter(([other]) => other !== name)) };
      expect(() => finished(restoreProject(partial as ProjectState))).toThrow(
        name.replace(/\.(bytes|ends)$/, ''),
      );
    }
  });

  it('is refused if a column is of another length or kind', () => {
    const state = copied(saveProject(pool(3).project));
    for (const wrong of [new Uint8Array(2), new Float64Array(3)]) {
      const columns = new Map([...state.columns, ['samples.counted', wrong] as const]);
      expect(() => finished(restoreProject({ ...state, columns }))).toThrow();
    }
  });
});
