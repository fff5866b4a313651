import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { drawAudits } from '../../src/domain/auditDraw.ts';
import { hash32 } from '../../src/domain/random.ts';
import {
  type HeldOutAnswer,
  heldOutAnswers,
  suggestedThreshold,
} from '../../src/domain/suggestedThreshold.ts';
import { pool, project } from './scenario.ts';

describe('the draw of audits', () => {
  const CLASSES = 5;
  const drawn = fc.record({
    labels: fc.array(fc.nat({ max: CLASSES - 1 }), { maxLength: 60 }),
    budget: fc.nat({ max: 20 }),
    floor: fc.nat({ max: 6 }),
    seed: fc.nat(),
  });

  it('is the budget, and beside it what brings each class to its floor, at most as many again', () => {
    fc.assert(
      fc.property(drawn, ({ labels, budget, floor, seed }) => {
        const samples = labels.map((_, i) => 1_000 + 3 * i);
        const { audits, floors } = drawAudits({ samples, labels }, { budget, floor, classes: CLASSES, seed });
        const labelOf = (sample: number) => labels[(sample - 1_000) / 3] as number;
        const [base, extra] = [0, 1].map((kind) => [...audits].filter((_, i) => floors[i] === kind));
        expect(new Set(audits).size).toBe(audits.length);
        expect(base).toHaveLength(Math.min(budget, samples.length));
        const count = (list: readonly number[] = [], label: number) =>
          list.filter((s) => labelOf(s) === label).length;
        const lacking = Array.from({ length: CLASSES }, (_, label) => {
          const there = labels.filter((other) => other === label).length;
          return Math.max(0, Math.min(floor, there) - count(base, label));
        });
        const wanted = lacking.reduce((sum, missing) => sum + missing, 0);
        expect(extra).toHaveLength(Math.min(wanted, base?.length ?? 0));
        for (const [label, missing] of lacking.entries())
          expect(count(extra, label)).toBeLessThanOrEqual(missing);
        // Where there is not enough for all, those that have the fewest come first.
        const least = Math.min(
          ...lacking.map((missing, l) => (missing > count(extra, l) ? count([...audits], l) : floor)),
        );
        for (const label of lacking.keys())
          if (count(extra, label) > 0) expect(count([...audits], label)).toBeLessThanOrEqual(least + 1);
      }),
    );
  });

  it('takes each sample of the budget, and each of a class that lacks some, as likely as any other', () => {
    const samples = Array.from({ length: 20 }, (_, i) => i);
    const labels = samples.map((i) => Number(i >= 16));
    const times = {
      base: new Array<number>(20).fill(0),
      floor: new Array<number>(20).fill(0),
      first: new Array<number>(20).fill(0),
    };
    const RUNS = 4_000;
    for (let run = 0; run < RUNS; run++) {
      const { audits, floors } = drawAudits(
        { samples, labels },
        { budget: 4, floor: 2, classes: 2, seed: hash32(run, 1) },
      );
      audits.forEach((sample, i) => {
        const list = floors[i] === 1 ? times.floor : times.base;
        list[sample] = (list[sample] ?? 0) + 1;
      });
      const first = [...audits].find((_, i) => floors[i] === 0) as number;
      times.first[first] = (times.first[first] ?? 0) + 1;
    }
    // Six standard deviations of a binomial count.
    const near = (counts: readonly number[], p: number) => {
      for (const count of counts)
        expect(Math.abs(count - RUNS * p)).toBeLessThan(6 * Math.sqrt(RUNS * p * (1 - p)));
    };
    near(times.base, 4 / 20);
    near(times.first, 1 / 20);
    const rare = times.floor.slice(16);
    near(rare, rare.reduce((sum, count) => sum + count, 0) / 4 / RUNS);
  });
});

describe('audits of classes', () => {
  it('are counted apart from the budget, by which alone the run is judged', () => {
    // Two hundred sure cats and ten sure dogs: a budget of twenty seldom meets a dog.
    const rows = Object.fromEntries(
      Array.from({ length: 210 }, (_, i) => [i, { sure: 1, label: Number(i >= 200) }]),
    );
    const scenario = pool(1_400, {
      autoAcceptThreshold: 0.9,
      audit: { share: 0.095, cap: 200, floor: 8, errorLimit: 0.2 },
    }).predicted(rows);
    const run = scenario.project.currentRun;
    const { audits, floors } = run?.published ?? expect.fail('there is a run');
    const dogs = [...audits].filter((sample) => sample >= 200);
    expect(audits.filter((_, i) => floors[i] === 0)).toHaveLength(20);
    expect(dogs).toHaveLength(8);
    // People say cat of everything: the model is right on cats and wrong on every dog.
    while (run?.autoAccept === 'PROVISIONAL' && scenario.emptyFor('ann') === null)
      scenario.labels('ann', 'cat');
    expect(run?.autoAccept).not.toBe('SUSPENDED');
    expect(run?.audited).toBeLessThanOrEqual(20);
    const [cat, dog] = run?.auditsByClass() ?? [];
    expect(cat).toMatchObject({ label: 0, accepted: 200, errors: 0 });
    expect(dog).toMatchObject({ label: 1, accepted: 10 });
    expect(dog?.errors).toBe(dog?.audited);
    expect(dog?.errors).toBeGreaterThan(run?.errors ?? 0);
  });
});

describe('a suggested threshold', () => {
  const answers = (count: number, confidence: number, errors: number, isAudit = false): HeldOutAnswer[] =>
    Array.from({ length: count }, (_, i) => ({ confidence, isError: i < errors, isAudit }));

  it('is the lowest from which the model keeps the limit', () => {
    const all = [...answers(300, 0.99, 0), ...answers(300, 0.92, 3), ...answers(100, 0.72, 60)];
    expect(suggestedThreshold(all, null, 0.05)).toBe(0.8);
    expect(suggestedThreshold(all, null, 0.2)).toBe(0.5);
  });

  it('is none as long as there are too few answers to say', () => {
    expect(suggestedThreshold([], 0.9, 0.05)).toBeNull();
    expect(suggestedThreshold(answers(20, 0.99, 0), 0.9, 0.05)).toBeNull();
  });

  it('goes by audits only from where they were drawn: below, they would flatter the model', () => {
    const audits = answers(400, 0.99, 0, true);
    const random = answers(60, 0.65, 20);
    expect(suggestedThreshold([...audits, ...random], Math.fround(0.95), 0.05)).toBe(0.95);
    // The same answers, were they random draws, would allow more.
    expect(suggestedThreshold([...answers(400, 0.99, 0), ...random], Math.fround(0.95), 0.05)).toBe(0.7);
  });

  it('leaves out what the model chose, what was seen beside it, and what another run had said', () => {
    const sure = (samples: readonly number[]) =>
      Object.fromEntries(samples.map((sample) => [sample, { sure: 0.6, label: 1 }]));
    const scenario = project(
      { suggestions: 'SHOWN', hiddenShare: 0.5, audit: { share: 0, cap: 0 } },
      { samples: 40 },
    ).predicted(sure(Array.from({ length: 40 }, (_, i) => i)));
    const samples = Array.from({ length: 40 }, (_, i) => i);
    scenario.opened(samples, { random: Uint8Array.from(samples, (i) => Number(i < 20)) });
    for (let i = 0; i < 40; i++) scenario.labels('ann', 'cat');
    const { assignments } = scenario.project;
    const hidden = samples.filter(
      (i) => i < 20 && assignments.suggestion.get(scenario.project.assignmentOf(i, 0)) < 0,
    );
    expect(hidden.length).toBeGreaterThan(3);
    expect(heldOutAnswers(scenario.project)).toEqual(
      hidden.map(() => ({ confidence: Math.fround(0.6), isError: true, isAudit: false })),
    );
    scenario.predicted(sure([1]));
    expect(heldOutAnswers(scenario.project)).toEqual([]);
  });
});
