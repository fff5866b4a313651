import type { Client } from '../client/client.ts';
import { NotFoundError } from '../client/generated/errors.ts';
import type { Progress, Round } from '../client/generated/types.ts';
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
