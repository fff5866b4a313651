import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { changeIn, FALSE_ALARM } from '../../src/domain/changeTest.ts';
import { majority } from '../../src/domain/consensus.ts';
import type { Project } from '../../src/domain/project.ts';
import { hash32, uniform } from '../../src/domain/random.ts';
import { timeBin, timeQuantile } from '../../src/domain/timeSketch.ts';
import {
  answerTime,
  driftOf,
  HASTY,
  rubberStamped,
  shareOf,
  throughput,
  usualTimes,
  WITH_CONSENSUS,
  WITH_GOLD,
} from '../../src/domain/workFigures.ts';
import { MOST_STRETCHES, WORK_FIELDS, Work, WorkLog } from '../../src/domain/workLog.ts';
import { MINUTE, pool, type Scenario } from './scenario.ts';
import { story, Tale } from './story.ts';

const HOUR = 60 * MINUTE;

/** Everything that was counted of one person, counted once more from the journal and from the answers that stand. */
function recount({ commits, project }: Scenario, member: string): Map<number, Work> {
  const touched: { readonly at: number; readonly count: (work: Work) => void }[] = [];
  const ids = new Set<string>();
  let lastAt = 0;
  const act = (at: number, known: number, count: (work: Work) => void) => {
    const gap = at - lastAt;
    const active = gap <= 5 * MINUTE ? gap : Math.min(known, 5 * MINUTE);
    touched.push({
      at,
      count: (work) => {
        work.acts++;
        work.activeMs += active;
        count(work);
      },
    });
    lastAt = at;
  };
  for (const { time, events } of commits) {
    for (const event of events) {
      if (event.type === 'granted' && event.member === member) {
        ids.add(event.assignment);
        if (time - lastAt > 5 * MINUTE) lastAt = time;
      }
      if (!('assignment' in event) || !ids.has(event.assignment)) continue;
      if (event.type === 'submitted') act(time, event.milliseconds ?? 0, () => {});
      if (event.type === 'skipped') act(time, 0, (work) => work.skips++);
      if (event.type === 'expired') touched.push({ at: time, count: (work) => work.expiries++ });
    }
  }
  touched.push(...answersOf(project, member), ...comparisonsOf(project, member));
  touched.push(...checksOf({ commits, project }, member));
  for (let length = HOUR; ; length *= 2) {
    const stretches = new Map<number, Work>();
    for (const { at, count } of touched) {
      const number = Math.floor(at / length);
      const work = stretches.get(number) ?? new Work();
      stretches.set(number, work);
      count(work);
    }
    if (stretches.size <= MOST_STRETCHES) return stretches;
  }
}

function answersOf({ assignments, annotators }: Project, member: string) {
  return rowsOf(assignments.size)
    .filter((row) => annotators[assignments.annotator.get(row)]?.id === member)
    .filter((row) => assignments.state(row) === 'SUBMITTED')
    .map((row) => ({
      at: assignments.answeredAt.get(row),
      count: (work: Work) => {
        const [label, suggestion] = [assignments.label.get(row), assignments.suggestion.get(row)];
        work.answers++;
        const isShown = suggestion >= 0 && assignments.mode(row) === 'SHOWN';
        const isAccepted = isShown && suggestion === label;
        if (isShown) work.shown++;
        if (isAccepted) work.accepted++;
        const milliseconds = assignments.milliseconds.get(row);
        if (!Number.isNaN(milliseconds)) work.countTime(milliseconds / 1_000, isAccepted, 1);
        if (!assignments.isRepeat(row)) return;
        work.repeats++;
        if (assignments.label.get(assignments.twin.get(row)) === label) work.same++;
      },
    }));
}

function comparisonsOf(project: Project, member: string) {
  const { assignments, annotators, rulings } = project;
  return rowsOf(assignments.size).flatMap((row) => {
    const [sample, own] = [assignments.sample.get(row), assignments.rating.get(row)];
    if (own < 0 || annotators[assignments.annotator.get(row)]?.id !== member) return [];
    const others = rowsOf(assignments.size)
      .filter((other) => other !== row && assignments.sample.get(other) === sample)
      .filter((other) => assignments.isCounted(other))
      .map((other) => assignments.label.get(other));
    const most = majority(others);
    const expected = rulings.get(sample)?.label ?? (most.kind === 'label' ? most.label : undefined);
    if (expected === undefined) return [];
    const count = (work: Work) => {
      work.compared++;
      if (own === expected) work.agreeing++;
    };
    return [{ at: assignments.answeredAt.get(row), count }];
  });
}

/** First answers to samples that were gold when they were given, and are gold now. */
function checksOf({ commits, project }: Pick<Scenario, 'commits' | 'project'>, member: string) {
  const first = new Map<number, { readonly at: number; readonly label: number }>();
  const asked = new Map<string, number>();
  const gold = new Set<number>();
  for (const { time, events } of commits) {
    for (const event of events) {
      if (event.type === 'goldSet') for (const sample of event.samples) gold.add(sample);
      if (event.type === 'goldRemoved') for (const sample of event.samples) gold.delete(sample);
      if (event.type === 'granted' && event.member === member) {
        if (event.draw === 'GOLD') asked.set(event.assignment, event.sample);
        else asked.delete(event.assignment);
      }
      if (event.type !== 'submitted') continue;
      const sample = asked.get(event.assignment) ?? -1;
      if (gold.has(sample) && !first.has(sample)) first.set(sample, { at: time, label: event.label });
    }
  }
  return [...first].flatMap(([sample, { at, label }]) => {
    const known = project.gold.labelOf(sample);
    if (known === undefined) return [];
    const count = (work: Work) => {
      work.checks++;
      if (label === known) work.correct++;
    };
    return [{ at, count }];
  });
}

function rowsOf(size: number): number[] {
  return Array.from({ length: size }, (_, row) => row);
}

describe('work over time, counted as it is done', () => {
  it('is what a recount gives, whatever happens and is taken back', () => {
    fc.assert(
      fc.property(story, ({ steps, ...beginning }) => {
        const tale = new Tale(beginning);
        for (const step of steps) tale.play(step);
        for (const { id, work } of tale.scenario.project.annotators)
          expect(work.stretches).toEqual(recount(tale.scenario, id));
      }),
      { numRuns: Number(process.env['FC_NUM_RUNS'] ?? 60) },
    );
  });

  it('is bounded, and stretches that are put together lose nothing', () => {
    const act = fc.record({
      after: fc.nat({ max: 40 * HOUR }),
      seconds: fc.nat({ max: 400 }),
      undone: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(act, { minLength: 70, maxLength: 150 }), (acts) => {
        const log = new WorkLog();
        const taken: (() => void)[] = [];
        let now = 0;
        const whole = new Work();
        for (const { after, seconds, undone } of acts) {
          now += after;
          const at = now;
          log.acted(at, seconds * 1_000);
          log.at(at).answers++;
          log.at(at).countTime(seconds, false, 1);
          if (undone) {
            taken.push(() => {
              log.at(at).answers--;
              log.at(at).countTime(seconds, false, -1);
            });
          } else {
            whole.answers++;
            whole.countTime(seconds, false, 1);
          }
        }
        for (const undo of taken) undo();
        expect(log.stretches.size).toBeLessThanOrEqual(MOST_STRETCHES);
        expect(log.total()).toMatchObject({ answers: whole.answers, times: whole.times, acts: acts.length });
        const from = log.inTime().map((stretch) => stretch.from);
        expect(from).toEqual([...from].sort((a, b) => a - b));
      }),
      { numRuns: 30 },
    );
  });

  it('takes the time between two acts for work, but not the time away', () => {
    const scenario = pool(10);
    for (const wait of [10_000, 20_000, 20 * MINUTE, 5_000]) {
      const [row] = scenario.when('claim', { by: 'ann', hold: 1 }).result.held;
      scenario.after(wait);
      const assignment = scenario.project.assignments.ids.keyAt(row as number);
      scenario.given('submit', { by: 'ann', assignment, label: 'cat', milliseconds: 3_000, hold: null });
    }
    // Of the third, the three seconds that were measured.
    expect(scenario.project.annotator('ann')?.work.total().activeMs).toBe(10_000 + 20_000 + 3_000 + 5_000);
  });
});

describe('agreement with what others say', () => {
  const answered = (...given: readonly (readonly [by: string, label: string])[]) => {
    const scenario = pool(1, { overlap: 5, overlapShare: 1 });
    // The overlap share is drawn over what comes after.
    for (const [by, label] of given) scenario.labels(by, label);
    return scenario;
  };
  const ofAnn = ({ project }: Scenario) => {
    const { compared, agreeing } = project.annotator('ann')?.work.total() ?? new Work();
    return [agreeing, compared];
  };

  it('leaves out one’s own vote, and what others tie on', () => {
    expect(ofAnn(answered(['ann', 'cat']))).toEqual([0, 0]);
    expect(ofAnn(answered(['ann', 'cat'], ['bob', 'dog']))).toEqual([0, 1]);
    expect(ofAnn(answered(['ann', 'cat'], ['bob', 'cat']))).toEqual([1, 1]);
    // With the own vote, it would be a majority of cats.
    expect(ofAnn(answered(['ann', 'cat'], ['bob', 'dog'], ['cy', 'cat']))).toEqual([0, 0]);
  });

  it('is with the ruling, once there is one', () => {
    const scenario = answered(['ann', 'cat'], ['bob', 'dog']);
    scenario.given('rule', { by: 'owner', sample: 0, label: 'cat', reason: 'seen' });
    expect(ofAnn(scenario)).toEqual([1, 1]);
    scenario.given('reopenRuling', { by: 'owner', sample: 0, reason: 'wrong' });
    expect(ofAnn(scenario)).toEqual([0, 1]);
  });
});

describe('times', () => {
  it('have quantiles within 9 % of the true ones', () => {
    const seconds = fc.double({ min: 0.1, max: 5_000, noNaN: true });
    fc.assert(
      fc.property(
        fc.array(seconds, { minLength: 1 }),
        fc.constantFrom(0, 0.25, 0.5, 0.75, 1),
        (times, share) => {
          const bins = new Uint32Array(64);
          for (const time of times) bins[timeBin(time)] = (bins[timeBin(time)] as number) + 1;
          const sorted = [...times].sort((a, b) => a - b);
          const exact = sorted[Math.floor(share * (times.length - 1))] as number;
          expect(Math.abs((timeQuantile(bins, share) as number) / exact - 1)).toBeLessThan(0.0906);
        },
      ),
    );
  });

  it('are held back below thirty, and say how many it takes', () => {
    expect(answerTime(null)).toEqual({ withheld: 'TOO_FEW', n: 0, needed: 30 });
    expect(shareOf(3, 29)).toEqual({ withheld: 'TOO_FEW', n: 29, needed: 30 });
    expect(throughput({ answers: 29, activeMs: 1_000 })).toMatchObject({ withheld: 'TOO_FEW', n: 29 });
  });

  it('an hourly rate has the interval of a Poisson count', () => {
    // The exact one of 30 events is 20.24 … 42.83 (e.g. F. Garwood 1936); Byar's approximation is within 0.1 of it.
    const rate = throughput({ answers: 30, activeMs: HOUR });
    if ('withheld' in rate) throw new Error('withheld');
    expect(rate.value).toBe(30);
    expect(rate.interval.lower).toBeCloseTo(20.24, 1);
    expect(rate.interval.upper).toBeCloseTo(42.83, 1);
  });
});

describe('rubber-stamping', () => {
  const worked = (acceptedSeconds: number) => {
    const work = new Work();
    for (let i = 0; i < 40; i++) work.countTime(8, false, 1);
    for (let i = 0; i < 40; i++) work.countTime(i < 10 ? acceptedSeconds : 7, true, 1);
    return rubberStamped(work, usualTimes(work));
  };

  it('is accepting in a small part of the time that other answers take', () => {
    expect(worked(1)).toMatchObject({ value: 0.25, n: 40 });
    expect(worked(8 * HASTY * 0.7)).toMatchObject({ value: 0.25 });
    expect(worked(8 * HASTY * 1.2)).toMatchObject({ value: 0 });
  });

  it('is not known of somebody whose other answers are too few', () => {
    const work = new Work();
    for (let i = 0; i < 40; i++) work.countTime(1, true, 1);
    expect(rubberStamped(work, usualTimes(work))).toMatchObject({ withheld: 'TOO_FEW' });
  });
});

describe('the test for a change', () => {
  const series = (rates: readonly number[], seed: number, each = 30) =>
    rates.map((rate, i) => ({
      answers: each,
      agreeing: Array.from({ length: each }, (_, k) => uniform(seed, i, k) < rate).filter(Boolean).length,
    }));

  it('says so of somebody who has become worse, and about when', () => {
    const found = changeIn(series([0.9, 0.9, 0.9, 0.9, 0.9, 0.5, 0.5, 0.5, 0.5], 1));
    expect(found).toMatchObject({ hasChanged: true, at: 5 });
  });

  it('raises a false alarm in no more of the histories without a change than it may, looked at every time', () => {
    let alarms = 0;
    const runs = 300;
    for (let run = 0; run < runs; run++) {
      const rate = 0.5 + (hash32(run, 0) % 50) / 100;
      const all = series(Array(40).fill(rate), run, 10);
      if (all.some((_, i) => changeIn(all.slice(0, i + 1))?.hasChanged)) alarms++;
    }
    // Far below in truth; this many would be improbable at the allowed rate.
    expect(alarms / runs).toBeLessThan(2 * FALSE_ALARM);
  });

  it('is exact in a small case', () => {
    // Two stretches of one answer each, one agreeing: ½·(½·½) for a change, ½·B(1.5,1.5)/π = ½·⅛ for none; max ¼.
    const found = changeIn([
      { answers: 1, agreeing: 1 },
      { answers: 1, agreeing: 0 },
    ]);
    expect(Math.exp(found?.logEvidence ?? 0)).toBeCloseTo((0.5 * 0.25 + 0.5 * 0.125) / 0.25, 12);
  });

  it('is what a drift of a person is judged by', () => {
    const log = new WorkLog();
    for (let hour = 0; hour < 20; hour++) {
      const work = log.at(hour * HOUR);
      work.compared = 20;
      work.agreeing = hour < 10 ? 19 : 10;
      work.checks = 8;
      work.correct = hour < 15 ? 4 : 8;
    }
    expect(driftOf(log, WITH_CONSENSUS)).toMatchObject({ verdict: 'WORSE', since: 10 * HOUR });
    expect(driftOf(log, WITH_GOLD)).toMatchObject({ verdict: 'BETTER', since: 15 * HOUR });
    expect(driftOf(new WorkLog(), WITH_GOLD)).toEqual({ withheld: 'TOO_FEW', n: 0, needed: 60 });
  });

  it('every field of work is counted when stretches are put together', () => {
    const [one, other] = [new Work(), new Work()];
    for (const field of WORK_FIELDS) [one[field], other[field]] = [1, 2];
    one.add(other);
    for (const field of WORK_FIELDS) expect(one[field]).toBe(3);
  });
});
