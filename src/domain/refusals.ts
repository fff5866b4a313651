/**
 * The closed table of expected refusals: what a command may answer instead of doing what was asked. Each has a
 * code, details of its own type, and a message that says what to do. The API shows each as an object type
 * that implements `Error`, the SDK as an error class; `docs/errors.md` mirrors this table and a test pins both.
 *
 * A refusal is data, not a fault: nothing was changed (STORE_UNAVAILABLE alone leaves that open). Faults (bugs, a store out of reach) are other errors.
 */

/** One row of probabilities or of an embedding that cannot be taken. */
export interface BadRow {
  /** Place of the row in the uploaded part, from 0. */
  readonly row: number;
  /** What is wrong with it, with the value that shows it. */
  readonly problem: string;
}

/** The details of each refusal, by its code. */
export interface RefusalDetails {
  /** A field's value is out of its range or malformed. */
  INVALID_INPUT: { field: string; problem: string };
  /** There is no such thing, or it is not yours to see: the two look alike on purpose. */
  NOT_FOUND: { what: string };
  /** Your role in this project does not allow it. */
  FORBIDDEN: { allowed: readonly string[] };
  /** The label is not in the project's label set. */
  UNKNOWN_LABEL: { label: string; known: readonly string[] };
  /** Keys that the project has already, or that come twice in the part. Nothing of the part was imported. */
  DUPLICATE_KEYS: { count: number; keys: readonly string[] };
  /** The part of an import before this one is not in. Nothing of this part was imported. */
  PART_OUT_OF_ORDER: { part: number; missing: number };
  /** Keys or numbers that name no sample of the project. Nothing of the part was kept. */
  UNKNOWN_SAMPLES: { count: number; samples: readonly string[] };
  /** Something is larger than the service takes. */
  PAYLOAD_TOO_LARGE: { what: string; bytes: number; limit: number };
  /** Probabilities with another number of classes than the label set has. */
  WRONG_CLASS_COUNT: { expected: number; actual: number };
  /** Rows with NaN, a negative value, or a sum off 1 beyond the tolerance; the first ones are named. */
  BAD_PROBABILITIES: { count: number; badRows: readonly BadRow[] };
  /** Embeddings with NaN or an infinite number; the first rows are named. */
  BAD_EMBEDDINGS: { count: number; badRows: readonly BadRow[] };
  /** A part of predictions or embeddings that the service does not hold, or no longer. Upload it again. */
  UNKNOWN_PART: { part: number };
  /** A round is open already: one at a time. Wait until it settles, or close it. */
  ROUND_OPEN: { round: number };
  /** No sample is left that the strategy could choose from. */
  NOTHING_TO_SELECT: { unlabelled: number };
  /** No strategy has this name. */
  UNKNOWN_STRATEGY: { strategy: string; known: readonly string[] };
  /** The strategy's file cannot be used; its problem is the researcher's to mend. */
  BROKEN_STRATEGY: { strategy: string; problem: string };
  /** The strategy does not take these parameters. */
  BAD_STRATEGY_PARAMETERS: { strategy: string; issues: readonly string[] };
  /** The strategy needs what the project does not have yet, such as predictions. */
  MISSING_STRATEGY_INPUT: { strategy: string; missing: string };
  /** The strategy ran and failed: it threw, took too long, or gave an answer that breaks its contract. */
  STRATEGY_FAILED: { strategy: string; problem: string };
  /** The assignment was skipped by you and takes no answer. */
  ASSIGNMENT_CLOSED: { assignmentState: string };
  /** You gave another answer to this assignment. Undo it first. */
  ALREADY_ANSWERED: { answer: string };
  /** Undo is open for one's last ten answers only, and not once somebody has ruled on the sample. */
  UNDO_CLOSED: { limit: number };
  /** The invitation was accepted, was withdrawn, or has run out: `invitationState` says which. */
  INVITATION_CLOSED: { invitationState: string };
  /** The person, or the sample, was erased: what was done stays, and nothing more can be. */
  ERASED: { what: string };
  /** The cursor is not one of this stream's. Start again without one. */
  BAD_CURSOR: { problem: string };
  /** The store has no space left. Nothing was kept; try again when there is space. */
  STORE_FULL: Record<never, never>;
  /** The store, or the node that decides, cannot be reached just now. The outcome is unknown; the same call again is safe. */
  STORE_UNAVAILABLE: Record<never, never>;
}

export type RefusalCode = keyof RefusalDetails;

const list = (items: readonly string[]): string => items.map((item) => `'${item}'`).join(', ');
const more = (count: number, shown: number): string => (count > shown ? ` and ${count - shown} more` : '');

/** How a project comes to have what a strategy needs. */
const REMEDIES: Readonly<Record<string, string>> = {
  probabilities: 'Publish a prediction run first. ',
  passes: 'Publish a prediction run with passes first. ',
  embeddings: 'Publish embeddings first. ',
  cost: 'Have some answers submitted with their time first. ',
};

const MESSAGES: { [C in RefusalCode]: (details: RefusalDetails[C]) => string } = {
  INVALID_INPUT: ({ field, problem }) => `${field}: ${problem}`,
  NOT_FOUND: ({ what }) => `There is no such ${what}, or it is not yours to see.`,
  FORBIDDEN: ({ allowed }) => `Your role does not allow this. It takes: ${allowed.join(' or ')}.`,
  UNKNOWN_LABEL: ({ label, known }) => `'${label}' is not in the label set. Known labels: ${list(known)}.`,
  DUPLICATE_KEYS: ({ count, keys }) =>
    `${count} keys are there already or come twice: ${list(keys)}${more(count, keys.length)}. Nothing was kept.`,
  PART_OUT_OF_ORDER: ({ part, missing }) =>
    `Part ${part} comes after part ${missing}, which is not in. Send that one first.`,
  UNKNOWN_SAMPLES: ({ count, samples }) =>
    `${count} of the rows name no sample of the project: ${list(samples)}${more(count, samples.length)}. Nothing of this part was kept.`,
  PAYLOAD_TOO_LARGE: ({ what, bytes, limit }) => `${what} has ${bytes} bytes; the limit is ${limit}.`,
  WRONG_CLASS_COUNT: ({ expected, actual }) =>
    `The project has ${expected} classes, the probabilities have ${actual}.`,
  BAD_PROBABILITIES: ({ count, badRows }) =>
    `${count} rows are not probabilities. ${badRows.map(({ row, problem }) => `Row ${row}: ${problem}.`).join(' ')}`,
  BAD_EMBEDDINGS: ({ count, badRows }) =>
    `${count} rows are not finite. ${badRows.map(({ row, problem }) => `Row ${row}: ${problem}.`).join(' ')}`,
  UNKNOWN_PART: ({ part }) =>
    `Part ${part} is not known here. Upload it again and use the receipt that it gives.`,
  ROUND_OPEN: ({ round }) => `Round ${round} is open. Wait until it has settled, or close it first.`,
  NOTHING_TO_SELECT: ({ unlabelled }) =>
    `No sample is left to choose: ${unlabelled} are unlabelled and none of them can be asked now.`,
  UNKNOWN_STRATEGY: ({ strategy, known }) =>
    `There is no strategy '${strategy}'. Known strategies: ${list(known)}.`,
  BROKEN_STRATEGY: ({ strategy, problem }) => `The strategy '${strategy}' cannot be used: ${problem}`,
  BAD_STRATEGY_PARAMETERS: ({ strategy, issues }) =>
    `The strategy '${strategy}' does not take these parameters: ${issues.join('; ')}`,
  MISSING_STRATEGY_INPUT: ({ strategy, missing }) =>
    `The strategy '${strategy}' needs ${missing}, and the project has none yet. ${REMEDIES[missing] ?? ''}Or use a strategy that does without, such as 'random'.`,
  STRATEGY_FAILED: ({ strategy, problem }) =>
    `The strategy '${strategy}' failed: ${problem}. No round was opened.`,
  ASSIGNMENT_CLOSED: ({ assignmentState }) => `This assignment is ${assignmentState} and takes no answer.`,
  ALREADY_ANSWERED: ({ answer }) =>
    `You have answered this with '${answer}'. Revise that answer, or undo it first.`,
  UNDO_CLOSED: ({ limit }) =>
    `Only your last ${limit} answers can be undone or revised, each until somebody has ruled on its sample; this is not one of them.`,
  INVITATION_CLOSED: ({ invitationState }) =>
    `This invitation is ${invitationState} and lets nobody in. Ask whoever sent it for another.`,
  ERASED: ({ what }) => `This ${what} was erased. What was done with it before stays; nothing more can be.`,
  BAD_CURSOR: ({ problem }) => `The cursor cannot be used: ${problem}. Start again without a cursor.`,
  STORE_FULL: () => 'The store has no space left. Nothing was kept; try again when there is space.',
  STORE_UNAVAILABLE: () =>
    'The store, or the node that decides, cannot be reached just now. The same call again is safe.',
};

/** Every code, in the order of the table. */
export const REFUSAL_CODES = Object.keys(MESSAGES) as readonly RefusalCode[];

/** An expected refusal. Thrown by deciders and by the service before anything is changed. */
export class Refusal<C extends RefusalCode = RefusalCode> extends Error {
  override name = 'Refusal';
  readonly code: C;
  readonly details: RefusalDetails[C];

  constructor(code: C, details: RefusalDetails[C]) {
    super(MESSAGES[code](details));
    this.code = code;
    this.details = details;
  }
}

/** A refusal ready to be thrown: `throw refuse('UNKNOWN_LABEL', {…})`. */
export function refuse<C extends RefusalCode>(code: C, details: RefusalDetails[C]): Refusal<C> {
  return new Refusal(code, details);
}

/** The refusal for what does not exist, or is not to be seen: the two look alike. */
export function notFound(what: string): Refusal<'NOT_FOUND'> {
  return refuse('NOT_FOUND', { what });
}
