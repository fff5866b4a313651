import type { Client } from '../client/client.ts';
import type { AnnotatorErrors as Generated } from '../client/generated/types.ts';
import type { CallOptions } from '../client/operation.ts';
import { floatsIn } from './bytes.ts';

/** How one annotator errs, as estimated together with the consensus. */
export interface AnnotatorErrors extends Omit<Generated, 'confusion'> {
  /**
   * By true class, and within it by answer, both in the order of the label set: how likely somebody who is shown the one
   * answers the other. Each row sums to 1.
   */
  readonly confusion: readonly Float32Array[];
}

/** A page of how annotators err, with matrices as numbers; null where the role may not see them. */
export async function annotatorErrors(
  client: Client,
  variables: Parameters<Client['annotatorErrors']>[0],
  options?: CallOptions,
) {
  const page = await client.annotatorErrors(variables, options);
  if (page === null) return null;
  const edges = page.edges.map(({ node, ...edge }) => ({ ...edge, node: withMatrix(node) }));
  return { ...page, edges };
}

function withMatrix(errors: Generated): AnnotatorErrors {
  const cells = floatsIn(errors.confusion);
  const classes = Math.sqrt(cells.length);
  const row = (i: number) => cells.subarray(i * classes, (i + 1) * classes);
  return { ...errors, confusion: Array.from({ length: classes }, (_, i) => row(i)) };
}
