import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AgreementCounts } from '../../src/domain/agreement.ts';
import { whyEmpty } from '../../src/domain/claim.ts';
import { decide } from '../../src/domain/commands.ts';
import type { ProjectEvent } from '../../src/domain/events.ts';
import type { Project } from '../../src/domain/project.ts';
import { dump } from './dump.ts';
import { story, Tale } from './story.ts';

/**
 * Any interleaving of what people, tools and time do to a project, held against a naive queue that counts and
 * searches everything anew. FC_NUM_RUNS hunts longer; FC_SEED and FC_PATH repeat a failure.
 */
const { FC_NUM_RUNS, FC_SEED, FC_PATH } = process.env;
const OPTIONS: fc.Parameters<unknown> = {
  numRuns: Number(FC_NUM_RUNS ?? 60),
  ...(FC_SEED ? { seed: Number(FC_SEED) } : {}),
  ...(FC_PATH ? { path: FC_PATH } : {}),
};
const TIMEOUT = Math.max(30_000, OPTIONS.numRuns ?? 0) * 100;

describe('the queue, whatever happens', () => {
  it('keeps its rules, and every count is what a recount gives', { timeout: TIMEOUT }, () => {
    fc.assert(
      fc.property(story, ({ steps, ...beginning }) => {
        const tale = new Tale(beginning);
        expectToAgree(tale);
        for (const step of steps) {
          tale.play(step);
          expectToAgree(tale);
        }
      }),
      OPTIONS,
    );
  });

  it('replays to the same state, and goes on in the same way', { timeout: TIMEOUT }, () => {
    fc.assert(
      fc.property(story, ({ steps, ...beginning }) => {
        const tale = new Tale(beginning);
        for (const step of steps) tale.play(step);
        const { scenario, members } = tale;
        const replayed = scenario.replay();
        expect(dump(replayed)).toEqual(dump(scenario.project));
        tale.scenario.onEvent = () => {};
        for (const by of [...members, 'somebody new']) {
          const [next, expected] = [replayed, scenario.project].map((project) =>
            claims(project, by, scenario.now),
          );
          expect(next).toEqual(expected);
        }
        expect(dump(replayed)).toEqual(dump(scenario.project));
      }),
      OPTIONS,
    );
  });
});

/** Everything that somebody gets when they claim as much as they may. */
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

function expectToAgree({ scenario, twin, members }: Tale): void {
  const { project } = scenario;
  const { samples } = project;

  for (const sample of twin.samples.keys()) {
    const counted = twin.counted(sample).length;
    const expected = {
      overlap: twin.samples[sample]?.overlap,
      counted,
      live: twin.live(sample).length,
      skips: twin.skips(sample),
      unanswerable: twin.samples[sample]?.givenUp,
      accepted: twin.isAccepted(sample),
      labels: twin.counted(sample).map(({ label }) => label),
    };
    expect({
      overlap: samples.overlap.get(sample),
      counted: samples.counted.get(sample),
      live: samples.live.get(sample),
      skips: samples.skips.get(sample),
      unanswerable: samples.isUnanswerable(sample),
      accepted: project.isAutoAccepted(sample),
      labels: project.countedLabels(sample).toReversed(),
    }).toEqual(expected);
    expect(twin.freePlaces(sample)).toBeGreaterThanOrEqual(0);
    // A free place is never left to nobody while an answer waits for one.
    if (twin.freePlaces(sample) > 0) expect(twin.surplus(sample)).toEqual([]);
  }

  const answered = twin.hands.filter(({ state }) => state === 'SUBMITTED');
  expect(project.answers).toBe(answered.length);
  expect(project.labelled).toBe(
    new Set(answered.filter(({ placed }) => placed).map(({ sample }) => sample)).size,
  );
  expectHandsToAgree(project, twin);
  expectRoundsToAgree(project, twin);
  for (const [i, run] of project.runs.entries()) {
    expect({ audited: run.audited, errors: run.errors }).toEqual(twin.audits(i + 1));
  }
  expectAgreementToAgree(project, twin);
  for (const by of [...members, 'somebody new']) {
    expect(whyEmpty(project, by, scenario.now)).toEqual(twin.whyEmpty(by, scenario.now));
  }
}

function expectHandsToAgree(project: Project, twin: Tale['twin']): void {
  const { assignments } = project;
  expect(assignments.size).toBe(twin.hands.length);
  for (const [row, hand] of twin.hands.entries()) {
    const isPlaced = hand.state === 'HELD' || hand.state === 'SUBMITTED' ? hand.placed : null;
    const { id, sample, member, state, draw, until, expiries, label } = hand;
    expect({
      id: assignments.ids.keyAt(row),
      sample: assignments.sample.get(row),
      member: project.annotatorOf(row).id,
      state: assignments.state(row),
      isPlaced: isPlaced === null ? null : assignments.placed.get(row) === 1,
      draw: assignments.draw(row),
      until: assignments.until.get(row),
      expiries: assignments.expiries.get(row),
      label: assignments.label.get(row),
    }).toEqual({ id, sample, member, state, isPlaced, draw, until, expiries, label });
  }
  const held = twin.hands.filter(({ state }) => state === 'HELD');
  expect(project.held.size).toBe(held.length);
  expect(project.nextDeadline()?.until).toBe(
    held.length === 0 ? undefined : Math.min(...held.map(({ until }) => until)),
  );
  for (const [id, member] of twin.members) {
    const annotator = project.annotator(id);
    const own = (rows: readonly number[] = []) => rows.map((row) => assignments.ids.keyAt(row));
    expect(own(annotator?.held)).toEqual(member.held.map((hand) => hand.id));
    expect(own(annotator?.undoable)).toEqual(member.newestAnswers.map((hand) => hand.id));
    const mine = twin.hands.filter((hand) => hand.member === id);
    expect(annotator?.answers ?? 0).toBe(mine.filter(({ state }) => state === 'SUBMITTED').length);
    expect(annotator?.skips ?? 0).toBe(mine.filter(({ state }) => state === 'SKIPPED').length);
    expect(annotator?.attention ?? { answers: 0, correct: 0 }).toEqual(twin.attention(id));
    expect(annotator?.judged ?? { answers: 0, correct: 0 }).toEqual(twin.attention(id, member.judgedFrom));
    expect(annotator?.grants ?? 0).toBe(member.draws.length);
  }
}

function expectRoundsToAgree(project: Project, twin: Tale['twin']): void {
  expect(project.rounds.map(({ isOpen }) => isOpen)).toEqual(twin.rounds.map(({ open }) => open));
  const { round } = twin;
  if (round === undefined) return;
  const unsettled = round.samples.filter((sample) => !twin.isSettled(sample)).length;
  expect(project.openRound?.unsettled).toBe(unsettled);
  expect(unsettled).toBeGreaterThan(0);
  expect(project.openRound?.unanswerable).toBe(
    round.samples.filter((sample) => twin.samples[sample]?.givenUp).length,
  );
}

function expectAgreementToAgree(project: Project, twin: Tale['twin']): void {
  const fresh = new AgreementCounts(project.labels.length);
  const index = (member: string) => project.annotator(member)?.index ?? -1;
  for (const sample of twin.samples.keys()) {
    const ratings = twin
      .rated(sample)
      .map(({ member, rating }) => ({ annotator: index(member), label: rating }));
    fresh.change([], ratings);
  }
  const { agreement } = project;
  expect(agreement.overall()).toEqual(fresh.overall());
  expect(agreement.pairs()).toEqual(fresh.pairs());
  for (const { a, b } of fresh.pairs()) expect(agreement.cohensKappa(a, b)).toEqual(fresh.cohensKappa(a, b));
}
