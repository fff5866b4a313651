import { describe, expect, it } from 'vitest';
import { majority } from '../../src/domain/consensus.ts';
import { LABELS, MINUTE, pool, project, type Scenario, START } from './scenario.ts';

const own = (scenario: Scenario, by: string, sample: number) => ({
  by,
  assignment: scenario.idOf(by, sample),
});

const skips = (scenario: Scenario, by: string, sample: number) =>
  scenario.when('skip', { ...own(scenario, by, sample), reason: 'unclear' });

/** Ann has sample 0 and lets it run out; Bob has it now. */
function late(policy = {}): Scenario {
  const scenario = pool(2, policy);
  scenario.claims('ann');
  scenario.after(10 * MINUTE);
  expect(scenario.claims('bob')).toEqual([0]);
  return scenario;
}

describe('submitting', () => {
  it('records the label and the time taken', () => {
    const scenario = pool(1);
    scenario.claims('ann');
    const submission = { ...own(scenario, 'ann', 0), label: 'owl', milliseconds: 1_500, hold: null };
    const outcome = scenario.after(MINUTE).when('submit', submission);
    outcome.thenEvents({ type: 'submitted', label: 2, milliseconds: 1_500, counted: true });
    expect(outcome.result).toEqual({ row: 0, counted: true, claim: null });
    const { assignments, labelled, answers } = scenario.project;
    expect(assignments.milliseconds.get(0)).toBe(1_500);
    expect(assignments.answeredAt.get(0)).toBe(START + MINUTE);
    expect({ labelled, answers }).toEqual({ labelled: 1, answers: 1 });
  });

  it('again with the same answer gives the first result; another answer is refused', () => {
    const scenario = pool(1);
    scenario.claims('ann');
    const first = scenario.submits('ann', 0, 'dog').result;
    expect(scenario.submits('ann', 0, 'dog').thenNothing().result).toEqual(first);
    scenario.submits('ann', 0, 'cat').thenRefused('ALREADY_ANSWERED', { answer: 'dog' });
  });

  it('is refused for a label that the project has not', () => {
    const scenario = pool(1);
    scenario.claims('ann');
    scenario
      .submits('ann', 0, 'Cat')
      .thenRefused('UNKNOWN_LABEL', { label: 'Cat', known: ['cat', 'dog', 'owl'] });
  });

  it.each([-1, Number.NaN, 1e9])('is refused for %s milliseconds', (milliseconds) => {
    const scenario = pool(1);
    scenario.claims('ann');
    scenario
      .when('submit', { ...own(scenario, 'ann', 0), label: 'cat', milliseconds, hold: null })
      .thenRefused('INVALID_INPUT', { field: 'milliseconds' });
  });

  it('to an assignment of somebody else looks as to one that is not there', () => {
    const scenario = pool(1);
    scenario.claims('ann');
    const { assignment } = own(scenario, 'ann', 0);
    for (const by of ['bob', 'ann']) {
      const id = by === 'bob' ? assignment : 'no such id';
      scenario
        .when('submit', { by, assignment: id, label: 'cat', milliseconds: null, hold: null })
        .thenRefused('NOT_FOUND', { what: 'assignment' });
    }
  });

  it('is refused after a skip', () => {
    const scenario = pool(1);
    scenario.claims('ann');
    skips(scenario, 'ann', 0);
    scenario.submits('ann', 0).thenRefused('ASSIGNMENT_CLOSED', { assignmentState: 'SKIPPED' });
  });

  it('counts late if the place is still free', () => {
    const scenario = pool(1);
    scenario.claims('ann');
    scenario
      .after(20 * MINUTE)
      .submits('ann', 0)
      .thenEvents({ type: 'expired', skip: false }, { type: 'submitted', counted: true });
  });

  it('counts after a release if the place is still free', () => {
    const scenario = pool(1);
    scenario.claims('ann');
    scenario.given('release', own(scenario, 'ann', 0));
    scenario.submits('ann', 0).thenEvents({ type: 'submitted', counted: true });
  });
});

describe('a surplus answer', () => {
  it('comes late, to a sample that others hold or have answered; consensus does not see it', () => {
    const scenario = late();
    expect(
      scenario.submits('ann', 0, 'owl').thenEvents({ type: 'submitted', counted: false }).result.counted,
    ).toBe(false);
    expect(scenario.project.countedLabels(0)).toEqual([]);
    scenario.submits('bob', 0, 'dog').thenEvents({ type: 'submitted', counted: true });
    expect(scenario.project.countedLabels(0)).toEqual([1]);
    expect(scenario.project).toMatchObject({ answers: 2, labelled: 1 });
  });

  it.each(['skip', 'release'] as const)('is promoted when the place frees by a %s', (command) => {
    const scenario = late();
    scenario.submits('ann', 0, 'owl');
    scenario
      .when(command, { ...own(scenario, 'bob', 0), reason: '' })
      .thenEvents({}, { type: 'promoted', assignment: scenario.idOf('ann', 0) });
    expect(scenario.project.countedLabels(0)).toEqual([2]);
    expect(scenario.submits('ann', 0, 'owl').result.counted).toBe(true);
  });

  it('is promoted when the time of who holds the place runs out', () => {
    const scenario = late();
    scenario.submits('ann', 0, 'owl');
    scenario
      .after(10 * MINUTE)
      .when('sweep', {})
      .thenEvents({ type: 'expired' }, { type: 'promoted' });
  });

  it('is promoted even where the skip that freed the place gave the sample up: an answer is welcome', () => {
    const scenario = late({ skipLimit: 1 });
    scenario.submits('ann', 0, 'owl');
    skips(scenario, 'bob', 0).thenEvents({ type: 'skipped', unanswerable: true }, { type: 'promoted' });
  });

  it('waits its turn: the oldest first, and one for each place', () => {
    const scenario = pool(1);
    for (const by of ['ann', 'bob', 'cy']) {
      scenario.claims(by);
      scenario.after(10 * MINUTE);
    }
    scenario.claims('dee');
    scenario.after(1).submits('bob', 0, 'dog');
    scenario.after(1).submits('ann', 0, 'cat');
    scenario.after(1).submits('cy', 0, 'owl');
    skips(scenario, 'dee', 0).thenEvents(
      { type: 'skipped' },
      { type: 'promoted', assignment: scenario.idOf('bob', 0) },
    );
    expect(scenario.project.countedLabels(0)).toEqual([1]);
  });

  it('settles its round when it moves up', () => {
    const scenario = project({}, { samples: 1 }).opened([0]);
    scenario.claims('ann');
    scenario.after(10 * MINUTE).claims('bob');
    scenario.submits('ann', 0);
    scenario
      .when('release', own(scenario, 'bob', 0))
      .thenEvents({ type: 'released' }, { type: 'promoted' }, { type: 'roundClosed', reason: 'SETTLED' });
  });
});

describe('skipping', () => {
  it('never gives the sample to that person again, and to others all the same', () => {
    const scenario = pool(2);
    scenario.claims('ann');
    skips(scenario, 'ann', 0).thenEvents({ type: 'skipped', reason: 'unclear', unanswerable: false });
    skips(scenario, 'ann', 0).thenNothing();
    expect(scenario.claims('ann', 5)).toEqual([1]);
    expect(scenario.claims('bob', 5)).toEqual([0]);
    expect(scenario.project.annotator('ann')?.skips).toBe(1);
  });

  it('by as many as the limit makes the sample unanswerable', () => {
    const scenario = pool(1, { skipLimit: 2 });
    scenario.claims('ann');
    skips(scenario, 'ann', 0);
    scenario.claims('bob');
    skips(scenario, 'bob', 0).thenEvents({ type: 'skipped', unanswerable: true });
    expect(scenario.emptyFor('cy')).toEqual({ reason: 'DONE' });
  });

  it('is refused for what was answered, given back or lost', () => {
    const scenario = pool(3);
    scenario.claims('ann', 3);
    scenario.submits('ann', 0, 'dog');
    skips(scenario, 'ann', 0).thenRefused('ALREADY_ANSWERED', { answer: 'dog' });
    scenario.given('release', own(scenario, 'ann', 1));
    skips(scenario, 'ann', 1).thenRefused('ASSIGNMENT_CLOSED', { assignmentState: 'RELEASED' });
    scenario.after(10 * MINUTE);
    skips(scenario, 'ann', 2).thenRefused('ASSIGNMENT_CLOSED', { assignmentState: 'EXPIRED' }, [
      { type: 'expired' },
    ]);
  });

  it('leaves an answer of another who holds it welcome', () => {
    const scenario = pool(1, { overlap: 2, overlapShare: 1, skipLimit: 1 });
    scenario.claims('ann');
    scenario.claims('bob');
    skips(scenario, 'ann', 0).thenEvents({ type: 'skipped', unanswerable: true });
    scenario.submits('bob', 0).thenEvents({ type: 'submitted', counted: true });
  });
});

describe('running out of time', () => {
  it('gives the sample to whoever comes, the same person too, under the same id', () => {
    const scenario = pool(1);
    scenario.claims('ann');
    const { assignment } = own(scenario, 'ann', 0);
    scenario
      .after(10 * MINUTE)
      .when('claim', { by: 'ann', hold: 1 })
      .thenEvents(
        { type: 'expired', skip: false, unanswerable: false },
        { type: 'granted', sample: 0, assignment },
      );
  });

  it('a second time counts as a skip, but for one who answers late', () => {
    const scenario = pool(1);
    scenario.claims('ann');
    scenario.after(10 * MINUTE).claims('ann');
    scenario
      .after(10 * MINUTE)
      .when('claim', { by: 'ann', hold: 1 })
      .thenEvents({ type: 'expired', skip: true, unanswerable: false });
    expect(scenario.project.samples.skips.get(0)).toBe(1);
    expect(scenario.emptyFor('ann')).toEqual({ reason: 'ALL_HAD_BY_YOU' });
    scenario.submits('ann', 0).thenEvents({ type: 'submitted', counted: true });
    expect(scenario.project.samples.skips.get(0)).toBe(0);
  });

  it('takes back one skip at most: a sample given back later was none', () => {
    const scenario = pool(1);
    scenario.claims('ann');
    scenario.after(10 * MINUTE).claims('ann');
    scenario.after(10 * MINUTE).submits('ann', 0);
    scenario.given('undo', own(scenario, 'ann', 0)).given('release', own(scenario, 'ann', 0));
    scenario.submits('ann', 0);
    expect(scenario.project.samples.skips.get(0)).toBe(0);
  });

  it('happens to many in the order of their times', () => {
    const scenario = pool(3);
    scenario.claims('ann');
    scenario.after(1).claims('bob');
    scenario.after(1).claims('cy');
    scenario.given('renew', own(scenario.after(6 * MINUTE), 'ann', 0));
    scenario
      .after(20 * MINUTE)
      .when('sweep', {})
      .thenEvents(
        { type: 'expired', assignment: scenario.idOf('bob', 1) },
        { type: 'expired', assignment: scenario.idOf('cy', 2) },
        { type: 'expired', assignment: scenario.idOf('ann', 0) },
      );
  });
});

describe('renewing', () => {
  it('is recorded only past half of the time', () => {
    const scenario = pool(1);
    scenario.claims('ann');
    scenario
      .after(5 * MINUTE)
      .when('renew', own(scenario, 'ann', 0))
      .thenNothing();
    scenario
      .after(1)
      .when('renew', own(scenario, 'ann', 0))
      .thenEvents({ type: 'renewed', until: START + 15 * MINUTE + 1 });
    scenario
      .after(10 * MINUTE - 1)
      .when('sweep', {})
      .thenNothing();
    scenario.after(1).when('sweep', {}).thenEvents({ type: 'expired' });
  });

  it('is refused once the time has passed', () => {
    const scenario = pool(1);
    scenario.claims('ann');
    scenario
      .after(10 * MINUTE)
      .when('renew', own(scenario, 'ann', 0))
      .thenRefused('ASSIGNMENT_CLOSED', { assignmentState: 'EXPIRED' }, [{ type: 'expired' }]);
  });
});

describe('giving back', () => {
  it('makes room, and does nothing the second time or after the time has passed', () => {
    const scenario = pool(2);
    scenario.claims('ann', 2);
    scenario.when('release', own(scenario, 'ann', 0)).thenEvents({ type: 'released' });
    scenario.when('release', own(scenario, 'ann', 0)).thenNothing();
    scenario
      .after(10 * MINUTE)
      .when('release', own(scenario, 'ann', 1))
      .thenEvents({ type: 'expired' });
    expect(scenario.claims('bob', 2)).toEqual([0, 1]);
  });

  it('is refused for an answer', () => {
    const scenario = pool(1);
    scenario.labels('ann', 'dog');
    scenario.when('release', own(scenario, 'ann', 0)).thenRefused('ALREADY_ANSWERED', { answer: 'dog' });
  });
});

describe('undoing', () => {
  it('puts the sample into the same hands again, and keeps its place', () => {
    const scenario = pool(1);
    scenario.labels('ann', 'cat');
    scenario
      .after(MINUTE)
      .when('undo', own(scenario, 'ann', 0))
      .thenEvents({ type: 'undone', until: START + 11 * MINUTE });
    expect(scenario.project).toMatchObject({ answers: 0, labelled: 0 });
    expect(scenario.emptyFor('bob')).toMatchObject({ reason: 'ALL_HELD' });
    expect(scenario.claims('ann')).toEqual([0]);
    scenario.when('undo', own(scenario, 'ann', 0)).thenNothing();
    scenario.submits('ann', 0, 'dog').thenEvents({ type: 'submitted', label: 1, counted: true });
  });

  it("is open for one's last ten answers", () => {
    const scenario = pool(12);
    for (let i = 0; i < 11; i++) scenario.labels('ann');
    scenario.labels('bob');
    scenario.when('undo', own(scenario, 'ann', 0)).thenRefused('UNDO_CLOSED', { limit: 10 });
    scenario.when('undo', own(scenario, 'ann', 1)).thenEvents({ type: 'undone' });
    scenario.submits('ann', 1);
    scenario.when('undo', own(scenario, 'ann', 1)).thenEvents({ type: 'undone' });
  });

  it('is refused for what is no answer', () => {
    const scenario = pool(1);
    scenario.claims('ann');
    skips(scenario, 'ann', 0);
    scenario
      .when('undo', own(scenario, 'ann', 0))
      .thenRefused('ASSIGNMENT_CLOSED', { assignmentState: 'SKIPPED' });
  });

  it('unsettles a sample of the open round, and never reopens a closed one', () => {
    const scenario = project({}, { samples: 2 }).opened([0, 1]);
    scenario.labels('ann');
    scenario.given('undo', own(scenario, 'ann', 0));
    expect(scenario.project.openRound?.unsettled).toBe(2);
    scenario.submits('ann', 0);
    scenario.labels('ann');
    scenario.when('undo', own(scenario, 'ann', 1)).thenEvents({ type: 'undone' });
    expect(scenario.project.openRound).toBeUndefined();
    expect(scenario.project.rounds[0]).toMatchObject({ unsettled: 0, isOpen: false });
    scenario.submits('ann', 1).thenEvents({ type: 'submitted', counted: true });
  });

  it('of a surplus answer takes no place; answered again, it is surplus again', () => {
    const scenario = late();
    scenario.submits('ann', 0, 'owl');
    scenario.submits('bob', 0, 'dog');
    scenario.when('undo', own(scenario, 'ann', 0)).thenEvents({ type: 'undone' });
    expect(scenario.project.samples.live.get(0)).toBe(0);
    scenario.submits('ann', 0, 'cat').thenEvents({ type: 'submitted', counted: false });
  });

  it('of a surplus answer, answered again after the place has become free, counts', () => {
    const scenario = late();
    scenario.submits('ann', 0, 'owl');
    scenario.given('undo', own(scenario, 'ann', 0));
    scenario.when('release', own(scenario, 'bob', 0)).thenEvents({ type: 'released' });
    scenario.submits('ann', 0, 'cat').thenEvents({ type: 'submitted', counted: true });
  });
});

describe('being away', () => {
  it('gives back what was prefetched, and keeps what one has before their eyes', () => {
    const scenario = pool(4);
    scenario.claims('ann', 3);
    scenario
      .when('disconnect', { by: 'ann' })
      .thenEvents(
        { type: 'released', assignment: scenario.idOf('ann', 1) },
        { type: 'released', assignment: scenario.idOf('ann', 2) },
      );
    scenario.when('disconnect', { by: 'ann' }).thenNothing();
    expect(scenario.claims('bob', 3)).toEqual([1, 2, 3]);
    scenario.submits('ann', 0).thenEvents({ type: 'submitted', counted: true });
  });

  it('means nothing for somebody unknown', () => {
    pool(1).when('disconnect', { by: 'nobody' }).thenNothing();
  });
});

describe('agreement and consensus', () => {
  it('move with every answer that counts', () => {
    const scenario = pool(3, { overlap: 3, overlapShare: 1 });
    const { agreement } = scenario.project;
    expect(agreement.overall().alpha).toMatchObject({ undefined: 'FEWER_THAN_TWO_ANNOTATORS' });
    scenario.labels('ann', 'cat');
    scenario.labels('ann', 'dog');
    scenario.claims('bob', 3);
    scenario.submits('bob', 2, 'cat');
    expect(agreement.overall().alpha).toMatchObject({ undefined: 'NO_JOINTLY_LABELLED_SAMPLE' });
    scenario.submits('bob', 0, 'cat');
    scenario.submits('bob', 1, 'dog');
    expect(agreement.cohensKappa(0, 1)).toMatchObject({ value: 1, n: 2 });
    scenario.labels('cy', 'owl');
    expect(scenario.project.countedLabels(0)).toEqual([2, 0, 0]);
    expect(majority(scenario.project.countedLabels(0))).toEqual({ kind: 'label', label: 0, votes: 2, of: 3 });
    expect(agreement.overall().raw).toMatchObject({ n: 2, answers: 5, value: 2 / 3 });
  });

  it('forget an answer that was taken back before anybody else had answered', () => {
    const scenario = pool(1, { overlap: 2, overlapShare: 1 });
    scenario.labels('ann', 'cat');
    scenario.given('undo', own(scenario, 'ann', 0));
    scenario.submits('ann', 0, 'dog');
    scenario.labels('bob', 'dog');
    expect(scenario.project.agreement.overall().raw).toMatchObject({ n: 1, value: 1 });
  });

  it('keep to the answer that was given blind: who tries every label learns nothing more, and mends no figure', () => {
    const scenario = pool(1, { overlap: 2, overlapShare: 1 });
    const { agreement } = scenario.project;
    scenario.labels('ann', 'owl');
    scenario.labels('bob', 'cat');
    for (const label of LABELS) {
      expect(agreement.overall().raw).toMatchObject({ n: 1, value: 0 });
      scenario.given('undo', own(scenario, 'bob', 0));
      expect(agreement.overall().raw).toMatchObject({ n: 1, value: 0 });
      scenario.submits('bob', 0, label);
    }
    expect(agreement.overall().raw).toMatchObject({ n: 1, value: 0 });
    expect(scenario.project.countedLabels(0)).toEqual([2, 2]);
  });
});
