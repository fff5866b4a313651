import { AgreementCounts } from './agreement.ts';
import type { AgreementFigure, UndefinedFigure } from './agreementFigure.ts';
import { MIN_FOR_BAND } from './agreementFigure.ts';
import type { JointRatings } from './jointRatings.ts';
import type { LabelScale } from './labelScale.ts';

/** Agreement in one stretch of time. */
export interface TrendPoint {
  /** When the second answer came to its first and its last sample. */
  readonly from: number;
  readonly until: number;
  /** Krippendorff's alpha of names over the samples of the stretch. */
  readonly alpha: AgreementFigure | UndefinedFigure;
}

/** At most so many stretches: each then has an interval that can be read. */
const MOST = 12;

/**
 * Agreement over time: samples that several people have labelled, in the order in which they became such, cut into
 * stretches of equal size, none under {@link MIN_FOR_BAND} samples; what is left over at the end waits for more.
 * Only samples that no strategy and no audit has picked: those are harder or easier as the model learns, and would
 * show that instead.
 */
export function agreementTrend(
  joint: readonly JointRatings[],
  classes: number,
  scale: LabelScale,
): TrendPoint[] {
  const unpicked = joint.filter((ratings) =>
    ratings.every(({ draw }) => draw === 'RANDOM' || draw === 'POOL'),
  );
  const size = Math.max(MIN_FOR_BAND, Math.ceil(unpicked.length / MOST));
  const points: TrendPoint[] = [];
  for (let first = 0; first + size <= unpicked.length; first += size) {
    const stretch = unpicked.slice(first, first + size);
    const counts = new AgreementCounts(classes, scale);
    for (const ratings of stretch) counts.change([], ratings);
    const [from, until] = [stretch[0]?.[1]?.at ?? 0, stretch.at(-1)?.[1]?.at ?? 0];
    points.push({ from, until, alpha: counts.overall().alpha });
  }
  return points;
}
