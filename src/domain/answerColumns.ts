import { DRAWS, STATES } from './assignmentTable.ts';
import type { Draw } from './events.ts';
import type { LabelScale } from './labelScale.ts';
import type { Project } from './project.ts';

/**
 * All answers of a project as numbers of their own, by row of the assignments: they are copied in some milliseconds, and
 * looked through elsewhere while labelling goes on.
 */
export interface AnswerColumns {
  readonly classes: number;
  readonly scale: LabelScale;
  readonly sample: Uint32Array;
  readonly annotator: Uint32Array;
  /** See `AssignmentTable.rating`. */
  readonly rating: Int32Array;
  /** The answer as it stands, what was predicted and suggested, and how the policy had suggestions: an index of `MODES`. */
  readonly label: Int32Array;
  readonly predicted: Int32Array;
  readonly suggestion: Int32Array;
  readonly mode: Uint8Array;
  readonly answeredAt: Float64Array;
  readonly milliseconds: Float32Array;
  readonly state: Uint8Array;
  readonly draw: Uint8Array;
  /** When each prediction run was published, in their order. */
  readonly publishedAt: Float64Array;
}

export function answerColumns({ assignments, labels, created, runs }: Project): AnswerColumns {
  const { sample, annotator, rating, answeredAt, milliseconds, state, draw } = assignments.columns;
  const { label, predicted, suggestion, mode } = assignments.columns;
  return {
    classes: labels.length,
    scale: created.scale,
    sample: sample.view().slice(),
    annotator: annotator.view().slice(),
    rating: rating.view().slice(),
    label: label.view().slice(),
    predicted: predicted.view().slice(),
    suggestion: suggestion.view().slice(),
    mode: mode.view().slice(),
    answeredAt: answeredAt.view().slice(),
    milliseconds: milliseconds.view().slice(),
    state: state.view().slice(),
    draw: draw.view().slice(),
    publishedAt: Float64Array.from(runs, (run) => run.publishedAt),
  };
}

/** An answer stands in this row. */
export function isAnswer({ state }: Pick<AnswerColumns, 'state'>, row: number): boolean {
  return STATES[state[row] as number] === 'SUBMITTED';
}

export function drawIn({ draw }: Pick<AnswerColumns, 'draw'>, row: number): Draw {
  return DRAWS[draw[row] as number] as Draw;
}
