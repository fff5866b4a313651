import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { announcedAt, announcedCount, roundProgress } from '../../src/domain/announced.ts';
import { answersOf } from '../../src/domain/consensusEstimate.ts';
import { dawidSkene } from '../../src/domain/dawidSkene.ts';
import { goldCandidates, SURE } from '../../src/domain/goldSet.ts';
import { goldLeft } from '../../src/domain/nextSample.ts';
import { uniform } from '../../src/domain/random.ts';
import { NONE } from '../../src/domain/sampleTable.ts';
import { isBelow } from '../../src/domain/settling.ts';
import { trainingLabel } from '../../src/domain/trainingSet.ts';
import { LABELS, pool, project, type Scenario } from './scenario.ts';
import { story, Tale } from './story.ts';

const [RIGHT, WRONG] = LABELS;
const GOLD = { share: 0.1, limit: 0.7, reserve: 3 };

/** The first samples are gold, and are cats. */
function withGold(scenario: Scenario, count: number): Scenario {
  const answers = Array.from({ length: count }, (_, sample) => ({ sample, label: RIGHT }));
  return scenario.given('setGold', { by: 'owner', answers, origin: 'OWNER' });
}

interface Given {
  readonly row: number;
  readonly sample: number;
  readonly isGold: boolean;
}

/** Somebody answers what they are given, until there is nothing or so many times. */
function works(scenario: Scenario, by: string, times: number, label: (given: Given) => string): Given[] {
  const all: Given[] = [];
  for (let i = 0; i < times; i++) {
    const [row] = scenario.when('claim', { by, hold: 1 }).result.held;
    if (row === undefined) break;
    const given = { row, sample: scenario.sampleOf(row), isGold: scenario.project.assignments.isGold(row) };
    const assignment = scenario.project.assignments.ids.keyAt(row);
    scenario.given('submit', { by, assignment, label: label(given), milliseconds: null, hold: null });
    all.push(given);
  }
  return all;
}

const right = () => RIGHT;

describe('gold', () => {
  it('is asked of each annotator once, about as often as its share says, and never twice in five', () => {
    const scenario = withGold(pool(2_000, { gold: GOLD }), 80);
    for (const by of ['ann', 'bob']) {
      const given = works(scenario, by, 500, right);
      const gold = given.filter(({ isGold }) => isGold).map(({ sample }) => sample);
      expect(new Set(gold).size).toBe(gold.length);
      expect(Math.max(...gold)).toBeLessThan(80);
      expect(gold.length).toBeGreaterThan(30);
      expect(gold.length).toBeLessThan(70);
      for (let block = 0; block < given.length; block += 5) {
        expect(given.slice(block, block + 5).filter(({ isGold }) => isGold).length).toBeLessThan(2);
      }
    }
  });

  it('leaves no hole once somebody has had it all, nor comes when nothing else is left', () => {
    const scenario = withGold(pool(120, { gold: GOLD }), 2);
    const given = works(scenario, 'ann', 1_000, right);
    expect(given.filter(({ isGold }) => isGold)).toHaveLength(2);
    expect(given).toHaveLength(120);
    expect(scenario.emptyFor('ann')).toEqual({ reason: 'DONE' });
    // One who comes now would know what it is.
    expect(scenario.emptyFor('bob')).toEqual({ reason: 'DONE' });
  });

  it('is counted by the first answer, whatever is undone, and by what is known now', () => {
    const scenario = withGold(pool(400, { gold: { ...GOLD, limit: 0 } }), 20);
    const [first] = works(scenario, 'ann', 400, ({ isGold }) => (isGold ? WRONG : RIGHT)).filter(
      ({ isGold }) => isGold,
    );
    const { attention } = scenario.project.annotator('ann') ?? {};
    expect(attention).toEqual({ answers: 20, correct: 0 });
    const sample = first?.sample ?? NONE;
    // What is known was wrong: mending it mends the figure, and taking it back takes the answer out.
    scenario.given('setGold', { by: 'owner', answers: [{ sample, label: WRONG }], origin: 'OWNER' });
    expect(attention).toEqual({ answers: 20, correct: 1 });
    scenario.given('removeGold', { by: 'owner', samples: [sample] });
    expect(attention).toEqual({ answers: 19, correct: 0 });
    scenario.given('setGold', { by: 'owner', answers: [{ sample, label: WRONG }], origin: 'OWNER' });
    expect(attention).toEqual({ answers: 20, correct: 1 });
  });

  it('keeps the first answer through an undo', () => {
    const scenario = withGold(pool(400, { gold: { ...GOLD, limit: 0 } }), 20);
    let gold: Given | undefined;
    while (!gold?.isGold) [gold] = works(scenario, 'ann', 1, () => WRONG);
    const own = { by: 'ann', assignment: scenario.idOf('ann', gold.sample) };
    scenario.given('undo', own);
    scenario.given('submit', { ...own, label: RIGHT, milliseconds: null, hold: null });
    expect(scenario.project.annotator('ann')?.attention).toEqual({ answers: 1, correct: 0 });
  });

  it('counts in no sample, no agreement and no progress of labels, and the estimate has it for known', () => {
    const scenario = withGold(pool(200, { gold: GOLD }), 20);
    for (const by of ['ann', 'bob']) works(scenario, by, 100, right);
    const { samples, agreement, gold } = scenario.project;
    for (const sample of gold.known.keys()) expect(samples.counted.get(sample)).toBe(0);
    expect(agreement.pairs()).toEqual([]);
    const { checks, answers, labelled } = scenario.project;
    expect(checks).toBeGreaterThan(5);
    expect(labelled).toBe(answers - checks);
    const { known, offsets } = answersOf(scenario.project);
    expect([...known].filter((label) => label === 0).length).toBeGreaterThan(5);
    expect(offsets.at(-1)).toBe(scenario.project.answers);
    expect(trainingLabel(scenario.project, 0, { provisional: false, estimate: null })).toMatchObject({
      source: 'GOLD',
      label: 0,
      confidence: 1,
    });
  });

  it('is no work: no strategy chooses it, and what was asked of it is work again once it is taken out', () => {
    const scenario = withGold(pool(60, { gold: { ...GOLD, limit: 0 } }), 10);
    scenario
      .when('openRound', {
        by: 'driver',
        choice: { ...scenarioChoice(scenario), samples: Uint32Array.of(0) },
        deadline: null,
      })
      .thenRefused('NOTHING_TO_SELECT');
    const gold = works(scenario, 'ann', 60, right).find(({ isGold }) => isGold);
    const sample = gold?.sample ?? NONE;
    scenario.given('removeGold', { by: 'owner', samples: [sample] });
    // The answer that was given to it counts now, and says why it was asked.
    expect(scenario.project.countedLabels(sample)).toEqual([0]);
    expect(trainingLabel(scenario.project, sample, { provisional: false, estimate: null })).toMatchObject({
      source: 'CONSENSUS',
      draw: 'GOLD',
    });
  });
});

function scenarioChoice(scenario: Scenario) {
  const other = project({}, { samples: 2 }).opened([0]).project.openRound?.opened;
  if (other === undefined) throw new Error('no round');
  return { ...other, readAt: scenario.project.seq };
}

describe('gold in a round', () => {
  const opened = () => {
    const scenario = project({ gold: GOLD }, { samples: 240 });
    withGold(scenario, 40);
    return scenario.opened(Array.from({ length: 200 }, (_, i) => 40 + i));
  };

  it('has places among the announced, and whose sample is said when somebody comes to them', () => {
    const { openRound } = opened().project;
    if (openRound === undefined) throw new Error('no round');
    const { goldRanks } = openRound.opened;
    expect(Math.abs(goldRanks.length - 22)).toBeLessThan(2);
    expect(announcedCount(openRound)).toBe(200 + goldRanks.length);
    const all = Array.from({ length: announcedCount(openRound) }, (_, rank) => announcedAt(openRound, rank));
    expect(all.filter(({ draw }) => draw === 'GOLD').map(({ rank }) => rank)).toEqual([...goldRanks]);
    expect(all.filter(({ sample }) => sample === NONE)).toHaveLength(goldRanks.length);
    expect(all.map(({ sample }) => sample).filter((sample) => sample !== NONE)).toEqual(
      Array.from({ length: 200 }, (_, i) => 40 + i),
    );
  });

  it('comes at its rank, moves the progress like any other, and takes it back with an undo', () => {
    const scenario = opened();
    const { openRound } = scenario.project;
    if (openRound === undefined) throw new Error('no round');
    const settled = () => roundProgress(scenario.project, openRound).settled;
    const { goldRanks } = openRound.opened;
    for (let rank = 0; rank < 100; rank++) {
      const before = settled();
      const [given] = works(scenario, 'ann', 1, right);
      expect(given?.isGold).toBe(goldRanks.includes(rank));
      expect(settled()).toBe(before + 1);
      if (!given?.isGold) continue;
      const own = { by: 'ann', assignment: scenario.idOf('ann', given.sample) };
      scenario.given('undo', own);
      expect(settled()).toBe(before);
      scenario.given('submit', { ...own, label: RIGHT, milliseconds: null, hold: null });
      expect(settled()).toBe(before + 1);
    }
  });

  it('is passed over by one who has had it all, and by one who comes late', () => {
    const scenario = opened();
    scenario.given('removeGold', { by: 'owner', samples: Array.from({ length: 39 }, (_, i) => i + 1) });
    expect(works(scenario, 'ann', 120, right).filter(({ isGold }) => isGold)).toHaveLength(1);
    withGold(scenario, 40);
    // The places that ann has passed are not made up for.
    const late = works(scenario, 'bob', 10, right).filter(({ isGold }) => isGold);
    expect(late.length).toBeLessThan(3);
    works(scenario, 'bob', 300, right);
    expect(scenario.project.openRound).toBeUndefined();
    expect(roundProgress(scenario.project, scenario.project.rounds[0] as never)).toMatchObject({
      settled: 200 + (scenario.project.rounds[0]?.opened.goldRanks.length ?? 0),
    });
  });
});

describe('an annotator who is right too seldom', () => {
  const careless = () => {
    const scenario = withGold(pool(1_000, { gold: GOLD }), 60);
    let events: readonly unknown[] = [];
    while (scenario.project.annotator('ann')?.pausedAt == null) {
      const { held } = scenario.when('claim', { by: 'ann', hold: 2 }).result;
      const [row = NONE] = held;
      const assignment = scenario.project.assignments.ids.keyAt(row);
      const label = scenario.project.assignments.isGold(row) ? WRONG : RIGHT;
      events = scenario.when('submit', { by: 'ann', assignment, label, milliseconds: null, hold: 2 }).events;
    }
    return { scenario, events };
  };

  it('is paused by the answer that shows it, and may answer what they hold', () => {
    const { scenario, events } = careless();
    const { judged, held, pausedAt } = scenario.project.annotator('ann') ?? {};
    expect(events).toMatchObject([
      { type: 'submitted' },
      { type: 'annotatorPaused', member: 'ann', answers: judged?.answers, correct: 0, limit: 0.7 },
    ]);
    expect(pausedAt).toBe(scenario.now);
    expect(held).toHaveLength(1);
    scenario.submits('ann', scenario.sampleOf(held?.[0] ?? NONE), RIGHT);
    expect(scenario.emptyFor('ann')).toEqual({ reason: 'ANNOTATOR_PAUSED' });
    // Nobody else is.
    expect(scenario.emptyFor('bob')).toBeNull();
  });

  it('goes on when an owner says so, is judged anew, and keeps the figure', () => {
    const { scenario } = careless();
    const before = { ...scenario.project.annotator('ann')?.attention };
    scenario.when('resumeAnnotator', { by: 'owner', member: 'ann' }).thenEvents({ type: 'annotatorResumed' });
    scenario.when('resumeAnnotator', { by: 'owner', member: 'ann' }).thenNothing();
    expect(scenario.project.annotator('ann')).toMatchObject({
      pausedAt: null,
      judged: { answers: 0, correct: 0 },
      attention: before,
    });
    works(scenario, 'ann', 200, right);
    expect(scenario.project.annotator('ann')?.pausedAt).toBeNull();
    scenario.when('resumeAnnotator', { by: 'owner', member: 'nobody' }).thenRefused('NOT_FOUND');
  });

  it('is found soon, and one who is right as often as asked is hardly ever paused', () => {
    const runs = (accuracy: number, looks: number) =>
      Array.from({ length: 200 }, (_, seed) => {
        const judged = { answers: 0, correct: 0 };
        while (judged.answers < looks) {
          judged.answers++;
          if (uniform(seed, judged.answers) < accuracy) judged.correct++;
          if (isBelow(judged, 0.7)) return judged.answers;
        }
        return null;
      });
    const found = runs(0.33, 300)
      .map((at) => at ?? 300)
      .sort((a, b) => a - b);
    expect(found[100]).toBeLessThan(20);
    expect(found.at(-1)).toBeLessThan(100);
    expect(runs(0.7, 300).filter((at) => at !== null).length).toBeLessThanOrEqual(10);
  });
});

describe('owners', () => {
  it('are warned once when somebody has less gold left than the reserve', () => {
    const scenario = withGold(pool(300, { gold: GOLD }), 6);
    works(scenario, 'ann', 300, right);
    const warned = scenario.commits.flatMap(({ events }) =>
      events.filter(({ type }) => type === 'goldRanLow'),
    );
    expect(warned).toEqual([{ type: 'goldRanLow', member: 'ann', left: 2 }]);
    expect(goldLeft(scenario.project, scenario.project.annotator('ann')?.index ?? NONE)).toBe(0);
  });

  it('make gold of what people agree on, and of nothing that was ruled to be something else', () => {
    const scenario = pool(6, { overlap: 2, overlapShare: 0, gold: GOLD });
    const twice = project({ overlap: 2, overlapShare: 1, withoutRound: 'POOL', gold: GOLD }, { samples: 6 });
    for (const by of ['ann', 'bob'])
      works(twice, by, 6, ({ sample }) => (by === 'bob' && sample > 3 ? WRONG : RIGHT));
    expect(goldCandidates(twice.project, 1, 2, null)).toEqual({
      found: [
        { sample: 1, label: 0, votes: 2, of: 2, confidence: 1 },
        { sample: 2, label: 0, votes: 2, of: 2, confidence: 1 },
      ],
      next: 3,
    });
    expect(goldCandidates(twice.project, 3, 9, null)).toMatchObject({ found: [{ sample: 3 }], next: null });
    const confirm = (sample: number, label: string) =>
      twice.when('setGold', { by: 'owner', answers: [{ sample, label }], origin: 'CONSENSUS' });
    confirm(1, RIGHT).thenEvents({ type: 'goldSet', origin: 'CONSENSUS' });
    confirm(1, RIGHT).thenNothing();
    confirm(4, RIGHT).thenRefused('INVALID_INPUT', { field: 'samples' });
    twice.given('rule', { by: 'owner', sample: 4, label: WRONG, reason: 'seen' });
    confirm(4, RIGHT).thenRefused('INVALID_INPUT', { field: 'samples' });
    confirm(4, WRONG).thenEvents({ type: 'goldSet' });
    twice
      .when('rule', { by: 'owner', sample: 4, label: RIGHT, reason: 'seen again' })
      .thenRefused('INVALID_INPUT', { field: 'label' });
    const bad = (answers: readonly { sample: number; label: string }[]) =>
      scenario.when('setGold', { by: 'owner', answers, origin: 'OWNER' });
    bad([]).thenRefused('INVALID_INPUT');
    bad([{ sample: 6, label: RIGHT }]).thenRefused('NOT_FOUND');
    bad([{ sample: 0, label: 'horse' }]).thenRefused('UNKNOWN_LABEL');
    bad([0, 0].map((sample) => ({ sample, label: RIGHT }))).thenRefused('INVALID_INPUT');
  });

  it('make gold of what an estimate is sure of, though somebody careless says otherwise', () => {
    const four = { overlap: 4, overlapShare: 1, withoutRound: 'POOL', extraOpinions: 0, gold: GOLD } as const;
    const scenario = project(four, { samples: 40 });
    const truth = (sample: number) => LABELS[sample % 3] ?? '';
    for (const by of ['ann', 'bob', 'cy']) works(scenario, by, 40, ({ sample }) => truth(sample));
    // Says the same of everything.
    works(scenario, 'dee', 40, () => 'owl');
    const { project: state } = scenario;
    expect(goldCandidates(state, 0, 40, null).found.map(({ sample }) => sample % 3)).toEqual(
      Array.from({ length: 13 }, () => 2),
    );
    const fit = dawidSkene(answersOf(state));
    const { found, next } = goldCandidates(state, 0, 40, fit);
    expect(found).toHaveLength(40);
    expect(next).toBeNull();
    for (const { sample, label, votes, of, confidence } of found) {
      expect(LABELS[label]).toBe(truth(sample));
      expect({ votes, of }).toEqual({ votes: sample % 3 === 2 ? 4 : 3, of: 4 });
      expect(confidence).toBeGreaterThanOrEqual(SURE);
    }
    // Two of each side are no certainty.
    const split = project(four, { samples: 12 });
    for (const by of ['ann', 'bob']) works(split, by, 12, () => RIGHT);
    for (const by of ['cy', 'dee']) works(split, by, 12, () => WRONG);
    expect(goldCandidates(split.project, 0, 12, dawidSkene(answersOf(split.project))).found).toEqual([]);
  });

  it('are told how much is left to each, whatever has happened', () => {
    fc.assert(
      fc.property(story, ({ steps, ...setting }) => {
        const tale = new Tale(setting);
        for (const step of steps) tale.play(step);
        const { project: state } = tale.scenario;
        const { assignments, gold } = state;
        for (const { index } of state.annotators) {
          const had = [...gold.known.keys()].filter((sample) => {
            const row = state.assignmentOf(sample, index);
            return row !== NONE && (!assignments.mayComeAgain(row) || assignments.isRevealed(row));
          });
          expect(goldLeft(state, index)).toBe(gold.size - had.length);
        }
      }),
      { numRuns: 40 },
    );
  });

  it('have gold from an import that knows the answers, or nothing of it', () => {
    const scenario = project();
    const part = {
      by: 'driver',
      importId: 'i',
      part: 0,
      keys: ['a', 'b'],
      blocks: [{ chunk: 'c', count: 2 }],
    };
    scenario
      .when('importSamples', { ...part, groundTruth: [{ place: 1, label: 'horse' }] })
      .thenRefused('UNKNOWN_LABEL');
    scenario
      .when('importSamples', { ...part, groundTruth: [{ place: 1, label: WRONG }] })
      .thenEvents({ type: 'samplesImported' }, { type: 'goldSet', origin: 'IMPORT', by: 'driver' });
    expect(scenario.project.gold.labelOf(1)).toBe(1);
  });
});
