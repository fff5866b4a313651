import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { REPEAT_GAP } from '../../src/domain/nextSample.ts';
import { Project } from '../../src/domain/project.ts';
import { dump } from './dump.ts';
import { LABELS, pool, project, type Scenario } from './scenario.ts';
import { story, Tale } from './story.ts';

const POLICY = { repeatShare: 0.2, workSession: { minutes: 0 } };

/** Rows of all repeats. */
function repeatsOf({ project }: Scenario): number[] {
  return Array.from({ length: project.assignments.size }, (_, row) => row).filter((row) =>
    project.assignments.isRepeat(row),
  );
}

/** Somebody answers what they are given, so many times. */
function works(scenario: Scenario, by: string, times: number, label: (sample: number) => string): void {
  for (let i = 0; i < times; i++) {
    const [row] = scenario.when('claim', { by, hold: 1 }).result.held;
    if (row === undefined) return;
    const assignment = scenario.project.assignments.ids.keyAt(row);
    const answer = { label: label(scenario.sampleOf(row)), milliseconds: null, hold: null };
    scenario.given('submit', { by, assignment, ...answer });
  }
}

const byNumber = (sample: number) => LABELS[sample % LABELS.length] as string;

describe('a repeat', () => {
  it('asks somebody again what they have answered, at most one time in five', () => {
    const scenario = pool(200, POLICY);
    works(scenario, 'ann', 100, byNumber);
    const { assignments } = scenario.project;
    const repeats = repeatsOf(scenario);
    expect(repeats.length).toBeGreaterThan(10);
    const originals = repeats.map((row) => assignments.twin.get(row));
    expect(new Set(originals).size).toBe(originals.length);
    for (const [i, row] of repeats.entries()) {
      const original = originals[i] as number;
      expect(assignments.sample.get(row)).toBe(assignments.sample.get(original));
      expect(row - original).toBeGreaterThan(REPEAT_GAP);
      expect((i + 1) / (row + 1)).toBeLessThanOrEqual(0.2);
    }
  });

  it('comes in rounds too, and never when nothing else is left', () => {
    const scenario = project(POLICY, { samples: 60 }).opened(Array.from({ length: 60 }, (_, i) => i));
    works(scenario, 'ann', 200, byNumber);
    expect(repeatsOf(scenario).length).toBeGreaterThan(3);
    expect(scenario.project.openRound).toBeUndefined();
    expect(scenario.project.answers).toBe(60 + repeatsOf(scenario).length);
  });

  it('shares its places with gold, however much is asked of both', () => {
    const scenario = pool(600, { ...POLICY, gold: { share: 0.1, limit: 0, reserve: 0 } });
    const answers = Array.from({ length: 60 }, (_, sample) => ({ sample, label: byNumber(sample) }));
    scenario.given('setGold', { by: 'owner', answers, origin: 'OWNER' });
    works(scenario, 'ann', 500, byNumber);
    const { assignments } = scenario.project;
    const gold = Array.from({ length: assignments.size }, (_, row) => assignments.isGold(row));
    const [golds, repeats] = [gold.filter(Boolean).length, repeatsOf(scenario).length];
    // One in five is something else than work: a third of that is gold, as it asks for half as much.
    expect(golds).toBeGreaterThan(20);
    expect(repeats).toBeGreaterThan(golds);
    expect(golds + repeats).toBeLessThanOrEqual(100);
  });

  it('does not come without a share of the policy, nor to somebody who has answered nothing', () => {
    const scenario = pool(100, { ...POLICY, repeatShare: 0 });
    works(scenario, 'ann', 60, byNumber);
    scenario.given('changePolicy', { by: 'owner', change: { repeatShare: 0.2 } });
    works(scenario, 'bob', REPEAT_GAP, byNumber);
    expect(repeatsOf(scenario)).toEqual([]);
    expect(pool(1).when('changePolicy', { by: 'owner', change: { repeatShare: 0.3 } }).refusal).toMatchObject(
      {
        code: 'INVALID_INPUT',
        details: { field: 'policy.repeatShare' },
      },
    );
  });

  it('shows the suggestion that was shown the first time, whatever the model says now', () => {
    const scenario = pool(100, { ...POLICY, suggestions: 'SHOWN', hiddenShare: 0.1 });
    const says = (label: number) =>
      scenario.predicted(
        Object.fromEntries(Array.from({ length: 100 }, (_, i) => [i, { sure: 0.6, label }])),
      );
    says(2);
    works(scenario, 'ann', 40, byNumber);
    says(1);
    works(scenario, 'ann', 50, byNumber);
    const { assignments } = scenario.project;
    const newest = repeatsOf(scenario).at(-1) as number;
    expect(assignments.run.get(newest)).toBe(2);
    for (const row of repeatsOf(scenario)) {
      expect(assignments.suggestion.get(row)).toBe(assignments.suggestion.get(assignments.twin.get(row)));
    }
  });
});

describe('repeats among all else', () => {
  it('are what the rules of the queue allow, whatever happens', () => {
    let repeats = 0;
    fc.assert(
      fc.property(story, ({ steps, policy, seed }) => {
        const often = {
          ...policy,
          repeatShare: 0.2,
          withoutRound: 'POOL' as const,
          overlap: 2,
          overlapShare: 1 as const,
        };
        const tale = new Tale({ policy: often, seed, samples: 60, members: 2 });
        // Long enough that there is something that can be asked again; the twin judges every grant.
        for (let i = 0; i < REPEAT_GAP + 5; i++) {
          tale.play({ type: 'claim', who: 0, hold: 1 });
          tale.play({ type: 'submitHeld', who: 0, pick: 0, label: LABELS[i % 3] as 'cat', hold: null });
        }
        for (const step of steps) tale.play(step);
        for (let i = 0; i < 10; i++) {
          tale.play({ type: 'claim', who: 0, hold: 2 });
          tale.play({ type: 'submitHeld', who: 0, pick: i, label: 'cat', hold: null });
        }
        repeats += repeatsOf(tale.scenario).length;
      }),
      { numRuns: 25 },
    );
    expect(repeats).toBeGreaterThan(25);
  });
});

/** What a project knows but for repeats and the work of each person. */
function withoutPeople({ samples, agreement, disputed, labelled, rounds }: ReturnType<typeof dump>) {
  return {
    samples: samples.map(({ assignments: _, ...sample }) => sample),
    agreement,
    disputed,
    labelled,
    rounds,
  };
}

describe('repeats, whatever happens', () => {
  it('count for nothing: without them the samples, the rounds and the agreement are the same', () => {
    const step = fc.record({
      who: fc.constantFrom('ann', 'bob'),
      what: fc.constantFrom('answer', 'answer', 'answer', 'answer', 'undo', 'skip', 'release', 'expire'),
      label: fc.constantFrom(...LABELS),
    });
    fc.assert(
      fc.property(fc.array(step, { minLength: 80, maxLength: 160 }), fc.nat(), (steps, seed) => {
        const policy = {
          ...POLICY,
          overlap: 2,
          overlapShare: 0.5,
          withoutRound: 'POOL',
          skipLimit: 1,
        } as const;
        const scenario = project(policy, { samples: 150, seed });
        works(scenario, 'ann', 30, byNumber);
        works(scenario, 'bob', 30, byNumber);
        for (const { who: by, what, label } of steps) {
          const { project: now } = scenario;
          if (what === 'undo') {
            const row = now.annotator(by)?.undoable.at(-1);
            if (row !== undefined) scenario.given('undo', { by, assignment: now.assignments.ids.keyAt(row) });
            continue;
          }
          const [row] = scenario.when('claim', { by, hold: 1 }).result.held;
          if (row === undefined) continue;
          const own = { by, assignment: now.assignments.ids.keyAt(row) };
          if (what === 'skip') scenario.given('skip', { ...own, reason: 'blurred' });
          else if (what === 'release') scenario.given('release', own);
          else {
            if (what === 'expire') scenario.after(11 * 60_000).given('sweep', {});
            scenario.given('submit', { ...own, label, milliseconds: 1_000, hold: null });
          }
        }
        const repeats = new Set<string>();
        const alone = new Project();
        for (const { seq, time, events } of scenario.commits) {
          for (const event of events) {
            if (event.type === 'granted' && event.draw === 'REPEAT') repeats.add(event.assignment);
            if ('assignment' in event && repeats.has(event.assignment)) continue;
            alone.fold(event, seq, time, noChunks);
          }
        }
        expect(repeats.size).toBeGreaterThan(0);
        expect(withoutPeople(dump(scenario.project))).toEqual(withoutPeople(dump(alone)));
        expect(dump(scenario.replay())).toEqual(dump(scenario.project));
      }),
      { numRuns: Number(process.env['FC_NUM_RUNS'] ?? 20) },
    );
  });
});

function noChunks(id: string): never {
  throw new Error(`no chunk ${id}`);
}
