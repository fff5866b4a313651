import { describe, expect, it } from 'vitest';
import { announcedAt } from '../../src/domain/announced.ts';
import type { Draw } from '../../src/domain/events.ts';
import type { SuggestionMode } from '../../src/domain/policy.ts';
import { assignmentView, progressView, queueView } from '../../src/service/views.ts';
import { LABELS, project, type Scenario } from '../domain/scenario.ts';

/**
 * Somebody who labels wants to know what is gold, an audit or a repeat, and what is work: they write down all that they are
 * shown before and after each answer, learn from many projects in which they were told, and guess in others. That must be no
 * better than chance. A leak that is planted is found, so the guesser is not blind itself.
 *
 * The sample itself they do not look at, nor, of repeats, at what an answer changes. Who writes down samples knows that one
 * is a repeat, whatever a service does; and then it is no secret that an answer given again counts for nothing.
 *
 * A suggestion that is revealed after an answer is looked at too: were it to tell what the sample was, whoever undid the
 * answer would know which ones to give with care.
 *
 * What is sought is held against work. Where suggestions are shown, audits have none, as some of all work has none: so
 * one that shows a suggestion is no audit, and a check of audits there would find that.
 */

/** What was seen of one sample, each in a few words; and why it was asked, which the guesser is told of half. */
interface Seen {
  readonly before: readonly string[];
  /** Of the suggestion, after the answer. */
  readonly revealed: readonly string[];
  readonly after: readonly string[];
  /** What nobody is to see. */
  readonly leaks: Readonly<Record<Leak, string>>;
  readonly draw: Draw;
}

/** What could leak, before somebody answers or after. */
const LEAKS = {
  'a count that gold does not move': ({ project }, row) =>
    `${project.samples.live.get(sampleOf(project, row))}`,
  'what is auto-accepted': ({ project }, row) => `${project.isAutoAccepted(sampleOf(project, row))}`,
  'another form of one id in two': ({ project }, row) =>
    Math.floor(row / 2) % 2 === 0 && ASIDES.has(project.assignments.draw(row)) ? 'longer' : '',
  'a suggestion that audits keep': ({ project: { assignments } }, row) =>
    `${assignments.suggestion.get(row) >= 0 && assignments.draw(row) !== 'AUDIT'}`,
} satisfies Record<string, (scenario: Scenario, row: number) => string>;
type Leak = keyof typeof LEAKS;

/** What is looked for; the rest is work. */
const ASIDES: ReadonlySet<Draw> = new Set(['GOLD', 'AUDIT', 'REPEAT']);

const SAMPLES = 500;
const GOLD = 60;
const ANSWERS = 150;
/** Projects to learn from, and as many to guess in. */
const WORLDS = 12;
const WAYS = ['in a round', 'from the pool'] as const;

function begin(way: (typeof WAYS)[number], seed: number, suggestions: SuggestionMode): Scenario {
  const scenario = project(
    {
      withoutRound: 'POOL',
      gold: { share: 0.06, limit: 0, reserve: 0 },
      repeatShare: 0.06,
      suggestions,
      hiddenShare: 0.3,
      autoAcceptThreshold: 0.9,
      audit: { share: 0.5, cap: 25, floor: 0, errorLimit: 1 },
    },
    { samples: SAMPLES, seed },
  );
  const known = Array.from({ length: GOLD }, (_, i) => ({
    sample: (i * 8 + seed) % SAMPLES,
    label: LABELS[i % 3] ?? '',
  }));
  scenario.given('setGold', { by: 'owner', answers: known, origin: 'OWNER' });
  const rows = Array.from({ length: SAMPLES }, (_, i) => ({ label: i % 3, sure: i % 4 === 0 ? 0.95 : 0.6 }));
  scenario.predicted(Object.fromEntries(rows.entries()));
  const work = Array.from({ length: SAMPLES }, (_, sample) => sample).filter(
    (sample) => !scenario.project.samples.isGold(sample) && sample % 4 !== 0,
  );
  if (way === 'in a round') scenario.opened(work, { run: 1 });
  return scenario;
}

function sampleOf({ assignments }: Scenario['project'], row: number): number {
  return assignments.sample.get(row);
}

function watch(scenario: Scenario): Seen[] {
  const seen: Seen[] = [];
  const { project } = scenario;
  for (let i = 0; i < ANSWERS; i++) {
    answers(scenario, 'ann');
    scenario.after(7_000);
    const before = counters(project);
    const [row] = scenario.when('claim', { by: 'eve', hold: 1 }).result.held;
    if (row === undefined) break;
    const held = assignmentView(project, row);
    const leaks = Object.fromEntries(
      Object.entries(LEAKS).map(([leak, sign]) => [leak, sign(scenario, row)]),
    ) as Record<Leak, string>;
    const heldFor = `held for ${held.until - scenario.now}`;
    scenario.after(3_000);
    scenario.given('submit', {
      by: 'eve',
      assignment: held.id,
      label: LABELS[0],
      milliseconds: null,
      hold: null,
    });
    const after = counters(project);
    const { suggestion } = assignmentView(project, row);
    const queue = queueView(project, 'eve', scenario.now);
    seen.push({
      draw: project.assignments.draw(row),
      leaks,
      before: [
        `id of ${held.id.length} characters`,
        `place ${i % 5} of five`,
        i < ANSWERS / 3 ? 'early' : 'late',
        `suggestion ${held.suggestion}`,
        heldFor,
      ],
      revealed: [`and then ${suggestion}`, `which is the answer ${suggestion === LABELS[0]}`],
      after: [
        ...Object.entries(before).map(
          ([name, value]) => `${name} moves by ${Number(after[name]) - Number(value)}`,
        ),
        `answers and labels ${after['answers'] === after['labelled']}`,
        `queue ${queue.empty?.reason} ${queue.answers - i} ${queue.held.length} ${queue.revealed.length}`,
        `announced there: ${announcedThere(scenario, Number(before['settled'] ?? 0))}`,
      ],
    });
  }
  return seen;
}

/** What `progress` tells annotators. */
function counters(project: Scenario['project']): Record<string, number> {
  const { veiledLabelled: labelled, samples, answers, round } = progressView(project);
  const ofRound = round === null ? {} : { settled: round.settled, total: round.total };
  return { labelled, samples, answers, ...ofRound };
}

/** What `prioritized` tells annotators of the rank to which the round has come. */
function announcedThere({ project: { openRound } }: Scenario, rank: number): string {
  return openRound === undefined ? '' : announcedAt(openRound, rank).priority;
}

function answers(scenario: Scenario, by: string): void {
  const [row] = scenario.when('claim', { by, hold: 1 }).result.held;
  if (row === undefined) return;
  const assignment = scenario.project.assignments.ids.keyAt(row);
  scenario.given('submit', { by, assignment, label: LABELS[1], milliseconds: null, hold: null });
}

/** What a guesser goes by. */
function signsOf(
  { before, revealed, after, leaks }: Seen,
  sought: Draw,
  leak: Leak | null,
): readonly string[] {
  const leaked = leak === null ? [] : [leaks[leak]];
  return [...leaked, ...before, ...revealed, ...(sought === 'REPEAT' ? [] : after)];
}

/** Naive Bayes over signs: of each, how much likelier it is of what is sought than of the rest. */
function learn(told: readonly Seen[], sought: Draw, leak: Leak | null): (seen: Seen) => number {
  const counts = new Map<string, [number, number]>();
  const totals: [number, number] = [0, 0];
  for (const seen of told) {
    const is = Number(seen.draw === sought) as 0 | 1;
    totals[is]++;
    for (const [i, sign] of signsOf(seen, sought, leak).entries()) {
      const count = counts.get(`${i} ${sign}`) ?? [0, 0];
      count[is]++;
      counts.set(`${i} ${sign}`, count);
    }
  }
  return (seen) =>
    signsOf(seen, sought, leak).reduce((sum, sign, i) => {
      const [work, found] = counts.get(`${i} ${sign}`) ?? [0, 0];
      return sum + Math.log((found + 1) / (totals[1] + 2)) - Math.log((work + 1) / (totals[0] + 2));
    }, 0);
}

/** How often one of what is sought is held for likelier than one of the work, in standard errors from one half. */
function skill(worlds: readonly (readonly Seen[])[], sought: Draw, leak: Leak | null = null): number {
  const [told, guessed] = [worlds.slice(0, WORLDS), worlds.slice(WORLDS)].map((some) =>
    some.flat().filter(({ draw }) => draw === sought || !ASIDES.has(draw)),
  ) as [Seen[], Seen[]];
  const score = learn(told, sought, leak);
  const of = (is: boolean) => guessed.filter(({ draw }) => (draw === sought) === is).map(score);
  const [found, work] = [of(true), of(false)];
  expect(found.length).toBeGreaterThan(50);
  let wins = 0;
  for (const a of found) for (const b of work) wins += a > b ? 1 : Number(a === b) / 2;
  const area = wins / (found.length * work.length);
  // Of the rank-sum statistic, without the ties, which only make it smaller.
  const error = Math.sqrt((found.length + work.length + 1) / (12 * found.length * work.length));
  return (area - 0.5) / error;
}

describe.each(WAYS)('what is asked %s', (way) => {
  const [shown, hidden, later] = (['SHOWN', 'HIDDEN', 'AFTER_FIRST_ANSWER'] as const).map((suggestions) =>
    Array.from({ length: 2 * WORLDS }, (_, i) => watch(begin(way, i + 1, suggestions))),
  ) as [Seen[][], Seen[][], Seen[][]];

  it.each([
    ['gold', 'shown', 'GOLD', shown],
    ['gold', 'hidden', 'GOLD', hidden],
    ['audits', 'hidden', 'AUDIT', hidden],
    ['repeats', 'shown', 'REPEAT', shown],
    ['repeats', 'hidden', 'REPEAT', hidden],
    ['gold', 'after the answer', 'GOLD', later],
    ['audits', 'after the answer', 'AUDIT', later],
    ['repeats', 'after the answer', 'REPEAT', later],
  ] as const)('does not tell %s, with suggestions %s', (_, __, sought, worlds) => {
    expect(skill(worlds, sought)).toBeLessThan(3);
  });

  it.each([
    ['gold', 'GOLD', 'a count that gold does not move', 10],
    ['audits', 'AUDIT', 'what is auto-accepted', 10],
    ['gold', 'GOLD', 'another form of one id in two', 4],
    ['audits', 'AUDIT', 'another form of one id in two', 4],
    ['repeats', 'REPEAT', 'another form of one id in two', 4],
  ] as const)('would tell %s (%s) by %s', (_, sought, leak, least) => {
    expect(skill(hidden, sought, leak)).toBeGreaterThan(least);
  });

  it('would tell audits, were nothing revealed after their answers', () => {
    expect(skill(later, 'AUDIT', 'a suggestion that audits keep')).toBeGreaterThan(10);
  });
});
