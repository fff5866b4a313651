import { MIN_FOR_BAND } from './agreementFigure.ts';
import { type Interval, wilson } from './confidence.ts';
import type { Project } from './project.ts';

/** How good a prediction run was, for how many answers. */
export interface CurvePoint {
  readonly run: number;
  readonly model: string;
  readonly publishedAt: number;
  /** Answers that had been given when it was published, of those that stand now: what it can have learnt from. */
  readonly answers: number;
  /** Answers to samples drawn at random whose prediction was hidden, while it was current; those like it. */
  readonly heldOut: number;
  readonly agreeing: number;
  /** Agreeing of held-out ones, with Wilson's interval of 95 %; null: fewer than {@link MIN_FOR_BAND}. */
  readonly accuracy: { readonly value: number; readonly interval: Interval } | null;
}

/**
 * The learning curve, from what people have answered after each run was published: nothing that the model has
 * learnt from, and nothing that it has had a part in choosing.
 */
export function modelCurve({ runs, assignments }: Project): CurvePoint[] {
  const times = new Float64Array(assignments.size);
  let count = 0;
  for (let row = 0; row < assignments.size; row++) {
    if (assignments.state(row) === 'SUBMITTED') times[count++] = assignments.answeredAt.get(row);
  }
  const inTime = times.subarray(0, count).sort();
  let before = 0;
  return runs.map((run): CurvePoint => {
    while (before < count && (inTime[before] as number) <= run.publishedAt) before++;
    const unbiased = run.peopleAgainstModel().find(({ draw, isShown }) => draw === 'RANDOM' && !isShown);
    const { answers: heldOut, agreeing } = unbiased ?? { answers: 0, agreeing: 0 };
    const interval = wilson(agreeing, heldOut);
    return {
      run: run.number,
      model: run.published.model,
      publishedAt: run.publishedAt,
      answers: before,
      heldOut,
      agreeing,
      accuracy: heldOut < MIN_FOR_BAND ? null : { value: agreeing / heldOut, interval },
    };
  });
}
