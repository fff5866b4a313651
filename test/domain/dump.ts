import type { AnnotatorPair } from '../../src/domain/agreement.ts';
import type { Project } from '../../src/domain/project.ts';

/** Everything that can be seen of a project, as plain values: two projections are equal if their dumps are. */
export function dump(project: Project) {
  const { samples, assignments, annotators, runs, rounds } = project;
  const { agreement } = project;
  return {
    seq: project.seq,
    time: project.time,
    activity: [...project.activity],
    policy: project.policy,
    rulings: [...project.rulings].sort(([a], [b]) => a - b),
    gold: [...project.gold.known],
    goldAnswers: [...project.gold.firstAnswers()],
    disputed: [...project.disputed],
    samples: Array.from({ length: samples.size }, (_, sample) => ({
      key: samples.keys.keyAt(sample),
      payload: samples.payload(sample),
      overlap: samples.overlap.get(sample),
      extra: samples.extra.get(sample),
      counted: samples.counted.get(sample),
      live: samples.live.get(sample),
      skips: samples.skips.get(sample),
      unanswerable: samples.isUnanswerable(sample),
      predicted: samples.predicted.get(sample),
      confidence: samples.confidence.get(sample),
      accepted: samples.isAccepted(sample),
      erased: samples.isErased(sample),
      round: samples.round.get(sample),
      position: samples.position.get(sample),
      assignments: [...project.assignmentsOf(sample)],
    })),
    assignments: Array.from({ length: assignments.size }, (_, row) => ({
      id: assignments.ids.keyAt(row),
      sample: assignments.sample.get(row),
      annotator: assignments.annotator.get(row),
      state: assignments.state(row),
      draw: assignments.draw(row),
      until: assignments.until.get(row),
      grantedAt: assignments.grantedAt.get(row),
      answeredAt: assignments.answeredAt.get(row),
      milliseconds: assignments.milliseconds.get(row),
      label: assignments.label.get(row),
      suggestion: assignments.suggestion.get(row),
      mode: assignments.mode(row),
      first: assignments.first.get(row),
      round: assignments.round.get(row),
      run: assignments.run.get(row),
      predicted: assignments.predicted.get(row),
      expiries: assignments.expiries.get(row),
      placed: assignments.placed.get(row),
    })),
    annotators: annotators.map((annotator) => ({ ...annotator })),
    runs: runs.map((run) => {
      const { published, publishedAt, rows, autoAccept, audited, errors } = run;
      const people = run.peopleAgainstModel();
      return { published, publishedAt, rows, autoAccept, audited, errors, people };
    }),
    rounds: rounds.map((round) => {
      const { opened, openedAt, openedSeq, unsettled, unanswerable, closed, closedAt, goldTakers } = round;
      return { opened, openedAt, openedSeq, unsettled, unanswerable, closed, closedAt, goldTakers };
    }),
    held: [...project.held].sort((a, b) => a - b),
    nextDeadline: project.nextDeadline(),
    labelled: project.labelled,
    answers: project.answers,
    checks: project.checks,
    agreement: {
      overall: agreement.overall(),
      classes: agreement.byClass(),
      pairs: agreement.pairs().map(({ a, b }: AnnotatorPair) => agreement.cohensKappa(a, b)),
    },
  };
}
