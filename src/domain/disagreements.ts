import { type LabelScale, positionsOn } from './labelScale.ts';

/**
 * What a sample's disagreement costs the project: the sample's part of the disagreement that Krippendorff's alpha counts
 * (2011, "Computing Krippendorff's alpha-reliability", step C), in answers. Over all pairs of its answers, how far the
 * two are apart, divided by one less than its answers. Names differ by 1 or not; classes in order by the square of how
 * far apart they are, as a share of the whole scale. So one of ten that differs costs less than one of two, a sample on
 * which many differ costs the most, and near misses come last.
 */
export function costOf(labels: readonly number[], scale: LabelScale, classes: number): number {
  const positions = positionsOn(scale, classes);
  const span = positions === null ? 1 : (positions.at(-1) as number) - (positions[0] as number);
  let sum = 0;
  for (const [i, label] of labels.entries()) {
    for (let j = 0; j < i; j++) {
      const other = labels[j] as number;
      if (positions === null) sum += Number(label !== other);
      else sum += (((positions[label] as number) - (positions[other] as number)) / span) ** 2;
    }
  }
  return labels.length < 2 ? 0 : sum / (labels.length - 1);
}
