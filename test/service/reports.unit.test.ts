import { describe, expect, it } from 'vitest';
import { type AnswerTallies, tallyAnswers } from '../../src/domain/answerTallies.ts';
import type { ProjectAccess } from '../../src/service/access.ts';
import { type Calculator, IN_PROCESS } from '../../src/service/calculator.ts';
import { claim, submit } from '../../src/service/queue.ts';
import { PEOPLE_PER_TURN, Reports } from '../../src/service/reports.ts';
import { settle } from '../support/stillWorld.ts';
import { openWorld } from './world.ts';

const POLICY = { overlap: 2, overlapShare: 1, workSession: { minutes: 0 }, withoutRound: 'POOL' } as const;

/** Calculates when it is told to. */
class LateCalculator implements Calculator {
  readonly waiting: (() => void)[] = [];
  readonly fit = IN_PROCESS.fit;

  tally(answers: Parameters<Calculator['tally']>[0]): Promise<AnswerTallies> {
    return new Promise((resolve) => this.waiting.push(() => resolve(tallyAnswers(answers))));
  }

  async close(): Promise<void> {}
}

describe('a report', () => {
  async function open(people: number) {
    const at = await openWorld(POLICY);
    await at.importSamples(people);
    const annotators: ProjectAccess[] = [];
    for (let i = 0; i < people; i++) annotators.push(await at.member('ANNOTATOR'));
    const label = async (who: ProjectAccess) => {
      const [held] = (await claim(at.concord, who, 1)).held;
      await submit(at.concord, who, {
        assignment: held?.id ?? '',
        label: 'spam',
        milliseconds: 1_000,
        hold: null,
      });
    };
    const calculator = new LateCalculator();
    let turn = 0;
    const reads = new Map<number, number>();
    const live = at.owner.live;
    const reports = new Reports(calculator, at.world, (look) => {
      reads.set(turn, (reads.get(turn) ?? 0) + 1);
      return live.read(look);
    });
    return { ...at, annotators, label, calculator, reports, reads, next: () => turn++ };
  }

  it('is tallied beside the labelling, and stands at the commit at which it began', async () => {
    const { annotators, label, calculator, reports, owner, world } = await open(3);
    const [ann, bob, cy] = annotators;
    if (!ann || !bob || !cy) throw new Error('there are three');
    await label(ann);
    const seq = await owner.live.read((project) => project.seq);
    const asked = [reports.upToDate(), reports.upToDate()];
    await world.pass(0);
    // It is under way, and people go on.
    await label(bob);
    expect(await owner.live.read((project) => project.answers)).toBe(2);
    calculator.waiting.shift()?.();
    const [one, other] = await Promise.all(asked);
    expect(one).toMatchObject({ seq, cost: { answers: 1, measured: 1, hours: 1 / 3_600 } });
    expect(other).toBe(one);
    expect(calculator.waiting).toHaveLength(0);

    // What has not moved is not looked through again; what has, is.
    const again = reports.upToDate();
    await world.pass(0);
    calculator.waiting.shift()?.();
    const newer = await again;
    expect(newer.cost.answers).toBe(2);
    expect(await reports.upToDate()).toBe(newer);
  });

  it('looks at some people a turn, and lets others in between', async () => {
    const people = 2 * PEOPLE_PER_TURN + 3;
    const { annotators, label, calculator, reports, reads, next, world } = await open(people);
    for (const who of annotators) await label(who);
    const asked = reports.upToDate();
    const timers: number[] = [];
    for (let turn = 0; turn < 3; turn++) {
      await settle();
      timers.push(world.timers);
      next();
      await world.pass(0);
    }
    calculator.waiting.shift()?.();
    expect((await asked).people).toHaveLength(people);
    // The columns and the first people, then those after them: each behind a timer, so that others have their turn.
    expect([...reads.values()]).toEqual([2, 2]);
    expect(timers[0]).toBeGreaterThan(0);
  });
});
