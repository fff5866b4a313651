/** After `labels` answers by people (every submit counts), the newest model's accuracy on the held-out set. */
export interface CurvePoint {
  readonly labels: number;
  readonly accuracy: number;
}

/** One run's points, labels ascending. */
export type Curve = readonly CurvePoint[];

/** Where one way of choosing first does as well as the other does at its end. */
export interface Crossing {
  /** Labels spent at the crossing. */
  readonly labels: number;
  /** The accuracy to reach: the reference's last. */
  readonly accuracy: number;
  /** Labels that the reference spent for it. */
  readonly referenceLabels: number;
  /** labels / referenceLabels: 0.6 means that 60 % of the labels were enough. */
  readonly share: number;
}

/**
 * The mean of several runs at every label count at which one of them has a new model, over the range that all
 * of them cover. A run has the accuracy of its newest model until the next one is trained: nothing is
 * interpolated, so nothing is known earlier than it was.
 */
export function meanCurve(runs: readonly Curve[]): CurvePoint[] {
  const from = Math.max(...runs.map((run) => run[0]?.labels ?? Number.POSITIVE_INFINITY));
  const to = Math.min(...runs.map((run) => run.at(-1)?.labels ?? Number.NEGATIVE_INFINITY));
  const counts = new Set(runs.flatMap((run) => run.map((point) => point.labels)));
  return [...counts]
    .filter((labels) => labels >= from && labels <= to)
    .sort((a, b) => a - b)
    .map((labels) => ({
      labels,
      accuracy: runs.reduce((sum, run) => sum + accuracyAt(run, labels), 0) / runs.length,
    }));
}

function accuracyAt(run: Curve, labels: number): number {
  return run.findLast((point) => point.labels <= labels)?.accuracy ?? Number.NaN;
}

/** The rule: the first point of `curve` that is at least as accurate as the last point of `reference`. */
export function findCrossing(curve: Curve, reference: Curve): Crossing | undefined {
  const end = reference.at(-1);
  if (!end) return undefined;
  const point = curve.find(({ accuracy }) => accuracy >= end.accuracy);
  if (!point) return undefined;
  return {
    labels: point.labels,
    accuracy: end.accuracy,
    referenceLabels: end.labels,
    share: point.labels / end.labels,
  };
}
