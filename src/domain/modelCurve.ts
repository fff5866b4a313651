import { MIN_FOR_BAND } from './agreementFigure.ts';
import { type Interval, wilson } from './confidence.ts';
import { isBlind } from './predictionRun.ts';
import type { Project } from './project.ts';

/** How good a prediction run was. */
export interface RunQuality {
  readonly run: number;
  readonly model: string;
  readonly publishedAt: number;
  /** Answers to samples drawn at random whose prediction was not shown before, while it was current; those like it. */
  readonly heldOut: number;
  readonly agreeing: number;
  /** Agreeing of held-out ones, with Wilson's interval of 95 %; null: fewer than {@link MIN_FOR_BAND}. */
  readonly accuracy: { readonly value: number; readonly interval: Interval } | null;
}

/** The same, for how many answers. */
export interface CurvePoint extends RunQuality {
  /** Answers that had been given when it was published, of those that stand now: what it can have learnt from. */
  readonly answers: number;
}

/**
 * What the learning curve rests on: what people have answered after each run was published, nothing that the model has
 * learnt from, and nothing that it has had a part in choosing.
 */
export function runQualities({ runs }: Project): RunQuality[] {
  return runs.map((run): RunQuality => {
    const unbiased = run.peopleAgainstModel().filter((kind) => kind.draw === 'RANDOM' && isBlind(kind));
    const heldOut = unbiased.reduce((sum, { answers }) => sum + answers, 0);
    const agreeing = unbiased.reduce((sum, kind) => sum + kind.agreeing, 0);
    const interval = wilson(agreeing, heldOut);
    return {
      run: run.number,
      model: run.published.model,
      publishedAt: run.publishedAt,
      heldOut,
      agreeing,
      accuracy: heldOut < MIN_FOR_BAND ? null : { value: agreeing / heldOut, interval },
    };
  });
}
