import type { Client } from '../client/client.ts';
import { NetworkError } from '../client/errors.ts';
import { NotFoundError, NothingToSelectError, RoundOpenError } from '../client/generated/errors.ts';
import type { OpenRoundInput } from '../client/generated/schema.ts';
import type { Progress, Round, TrainingExample } from '../client/generated/types.ts';
import type { CallOptions } from '../client/operation.ts';

/** The progress of a project at a moment of one round. */
export interface RoundProgress extends Progress {
  readonly round: Round;
}

/**
 * The progress of a round until it has closed. The service pushes that of the newest round; when a later one is
 * there, this one is closed.
 */
export async function* roundProgress(
  client: Client,
  project: string,
  { number }: Pick<Round, 'number'>,
  options: CallOptions = {},
): AsyncGenerator<RoundProgress, void, undefined> {
  for await (const progress of client.watchProgress({ project }, options)) {
    const { round } = progress;
    if (round === null || round.number < number) continue;
    const watched = round.number === number ? round : await closedRound(client, project, number, options);
    yield { ...progress, round: watched };
    if (!watched.isOpen) return;
  }
}

/** Waits until a round has closed. */
export async function waitForRound(
  client: Client,
  project: string,
  round: Pick<Round, 'number'>,
  options: CallOptions = {},
): Promise<Round> {
  for await (const progress of roundProgress(client, project, round, options)) {
    if (!progress.round.isOpen) return progress.round;
  }
  throw new DOMException('The client was closed before the round was.', 'AbortError');
}

async function closedRound(
  client: Client,
  project: string,
  number: number,
  options: CallOptions,
): Promise<Round> {
  const round = await client.round({ project, number }, options);
  if (round === null)
    throw new NotFoundError('There is no such round, or it is not yours to see.', { what: 'round' });
  return round;
}

/** A round that has closed, with what a model may learn from by then. */
export interface ClosedRound extends Round {
  /** People's consensus, and what was auto-accepted and stood up to audit; read page by page, each time anew. */
  readonly trainingSet: AsyncIterable<TrainingExample>;
}

/**
 * Round after round: opens one (or takes up the one that is open), waits until it has closed, and gives it with its
 * training set. It ends when nothing is left to choose.
 *
 * @param trainingSet gives the training set
 */
export async function* rounds(
  client: Client,
  project: string,
  request: Omit<OpenRoundInput, 'project'>,
  trainingSet: () => AsyncIterable<TrainingExample>,
  options: CallOptions = {},
): AsyncGenerator<ClosedRound, void, undefined> {
  for (;;) {
    const round = await openOrTakeUp(client, { ...request, project }, options);
    if (round === null) return;
    const closed = await waitForRound(client, project, round, options);
    yield { ...closed, trainingSet: { [Symbol.asyncIterator]: () => trainingSet()[Symbol.asyncIterator]() } };
  }
}

/** Null: there is nothing to choose from. */
async function openOrTakeUp(
  client: Client,
  input: OpenRoundInput,
  options: CallOptions,
): Promise<Pick<Round, 'number'> | null> {
  try {
    return await client.openRound(input, options);
  } catch (error) {
    if (error instanceof NothingToSelectError) return null;
    if (error instanceof RoundOpenError) return { number: error.round };
    if (!(error instanceof NetworkError)) throw error;
    // Whether it has opened is not known; there is one at most.
    const open = await client.currentRound({ project: input.project }, options);
    if (open === null) throw error;
    return open;
  }
}
