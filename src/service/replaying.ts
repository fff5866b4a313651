import { NEEDS } from '@concord/sdk/strategy';
import type { RoundOpened } from '../domain/events.ts';
import type { Project } from '../domain/project.ts';
import { Refusal } from '../domain/refusals.ts';
import type { Store } from '../journal/port.ts';
import type { StrategyHost } from '../strategies/host.ts';
import type { Audience } from './access.ts';
import { DamagedChunkError } from './chunks.ts';
import type { Concord } from './concord.ts';
import { delay } from './environment.ts';
import { eventsOf, foldTail, loadProjection } from './folding.ts';
import { loadPool, readPool } from './pool.ts';
import { PROJECT_KIND } from './projectKind.ts';
import { refusingFaults } from './strategyFaults.ts';
import { loadMatrix } from './strategyInputs.ts';
import { orRefusal } from './trouble.ts';

/** What becomes of a past round when it is chosen again. */
export interface Replay {
  readonly round: number;
  /** The strategy that ran now. */
  readonly strategy: string;
  /**
   * - `IDENTICAL`: the same samples in the same order, with the same scores.
   * - `DIFFERENT`: others, or in another order, or with other scores.
   * - `IMPOSSIBLE`: it could not be run; `problem` says why.
   */
  readonly verdict: 'IDENTICAL' | 'DIFFERENT' | 'IMPOSSIBLE';
  /** Why it could not be run: a strategy or an input that is gone, or a failure; else null. */
  readonly problem: string | null;
  /** Strategies whose code is not what it was. */
  readonly changed: readonly ChangedStrategy[];
  /** Samples that the round opened with. */
  readonly recorded: number;
  /** Samples that were chosen now, without those that had been taken by the time the round opened. */
  readonly chosen: number;
  /** Samples that are among both. */
  readonly common: number;
  /** Common ones, of all that are in either; 1 if both are empty. */
  readonly jaccard: number;
  /** The first rank at which sample or score differ; null: none does. */
  readonly firstDifference: number | null;
  /** The first ranks of both, side by side. */
  readonly top: readonly ReplayedRank[];
}

export interface ChangedStrategy {
  readonly strategy: string;
  /** SHA-256 of its code when the round was opened. */
  readonly was: string;
  /** The same now; null: there is none of that name, or it is broken. */
  readonly is: string | null;
}

/** What stands at a rank. */
export interface ReplayedRank {
  readonly rank: number;
  readonly recorded: Scored | null;
  readonly replayed: Scored | null;
}

export interface Scored {
  readonly sample: number;
  readonly key: string;
  /** NaN: it has none. */
  readonly score: number;
}

export interface ReplayOptions {
  /** Another strategy in place of the round's, with its parameters; null: the round's own. */
  readonly instead: {
    readonly strategy: string;
    readonly parameters: Readonly<Record<string, unknown>>;
  } | null;
  /** How many ranks to show. */
  readonly top: number;
  /** Lets other work have a turn. */
  readonly pause: () => Promise<void>;
  /** Aborted when nobody waits for it any more; it is given up then, with the signal's reason. */
  readonly signal: AbortSignal;
}

/**
 * Runs a past round again, from the journal and its chunks alone: brings the project back to the commit at which the
 * pool was read, lets the strategy choose with the round's parameters, seed and states, and holds what it chooses
 * against what the round opened with.
 *
 * @param opened the round's event, and the commit that holds it
 */
export async function replayRound(
  store: Store,
  journal: string,
  strategies: StrategyHost,
  { opened, seq }: { readonly opened: RoundOpened; readonly seq: number },
  { instead, top, pause: rest, signal }: ReplayOptions,
): Promise<Replay> {
  const { name, parameters } =
    instead === null ? opened.strategy : { name: instead.strategy, parameters: instead.parameters };
  const changed = instead === null ? changesSince(opened, strategies) : [];
  const pause = async () => {
    await rest();
    signal.throwIfAborted();
  };
  try {
    // What it needs is seen first, so that no more is brought back than that.
    const { needs } = await refusingFaults(() => strategies.check(name, parameters, NEEDS));
    const project = await loadProjection(store, journal, PROJECT_KIND, {
      pause,
      upTo: opened.readAt,
      onUselessSnapshot: () => undefined,
    });
    const before = readPool(project, needs);
    await foldTo(store, journal, project, opened, seq, pause);
    const { pool, states } = await loadPool(store, before, needs, (...run) => loadMatrix(store, ...run));
    const request = { strategy: name, parameters, seed: opened.seed, count: opened.requested };
    // In a worker that has served nobody: what a strategy has kept from other calls must not make it the same.
    const selection = await refusingFaults(() =>
      strategies.select({ ...request, pool, states }, { signal, isFresh: true }),
    );
    // Samples that were taken while the strategy chose were left out: so they are now.
    const kept = [...selection.ordinals.keys()].filter((rank) =>
      project.samples.isUnlabelled(selection.ordinals[rank] as number),
    );
    const scored = (sample: number, score: number): Scored => ({
      sample,
      key: project.samples.keys.keyAt(sample),
      score,
    });
    const replayed = kept.map((rank) =>
      scored(selection.ordinals[rank] as number, selection.scores[rank] as number),
    );
    const recorded = Array.from(opened.samples, (sample, rank) =>
      scored(sample, opened.scores[rank] as number),
    );
    return {
      round: opened.round,
      strategy: name,
      problem: null,
      changed,
      ...compared(recorded, replayed, top),
    };
  } catch (error) {
    const problem = problemOf(error);
    if (problem === null) throw error;
    return {
      round: opened.round,
      strategy: name,
      verdict: 'IMPOSSIBLE',
      problem,
      changed,
      recorded: opened.samples.length,
      chosen: 0,
      common: 0,
      jaccard: 0,
      firstDifference: null,
      top: [],
    };
  }
}

function changesSince({ strategy }: RoundOpened, strategies: StrategyHost): ChangedStrategy[] {
  const usable = strategies.list().filter(({ problem }) => problem === null);
  return [strategy, ...strategy.asked].flatMap(({ name, version: was }) => {
    const is = usable.find((one) => one.name === name)?.version ?? null;
    return is === was ? [] : [{ strategy: name, was, is }];
  });
}

/** Brings the project to where the round opened: to the events before it, those of its own commit among them. */
async function foldTo(
  store: Store,
  journal: string,
  project: Project,
  opened: RoundOpened,
  seq: number,
  pause: () => Promise<void>,
): Promise<void> {
  await foldTail(store, journal, PROJECT_KIND, project, { pause, upTo: seq - 1 });
  for await (const commit of store.read(journal, seq - 1)) {
    for (const event of eventsOf(PROJECT_KIND, commit)) {
      if (event.type === 'roundOpened' && event.round === opened.round) return;
      // What comes in a commit before a round is what time has brought about: it names no chunks.
      project.fold(event, commit.seq, commit.time, (id) => {
        throw new DamagedChunkError(`chunk ${id} was not loaded`);
      });
    }
  }
}

/** Why a round cannot be run again, in a line; null: that is no answer, but a fault. */
function problemOf(error: unknown): string | null {
  if (error instanceof DamagedChunkError) return `what it was chosen from is gone: ${error.message}`;
  return error instanceof Refusal && !/^STORE_/.test(error.code) ? error.message : null;
}

function compared(recorded: readonly Scored[], replayed: readonly Scored[], top: number) {
  const ranks = Math.max(recorded.length, replayed.length);
  const at = (rank: number): ReplayedRank => ({
    rank,
    recorded: recorded[rank] ?? null,
    replayed: replayed[rank] ?? null,
  });
  let firstDifference: number | null = null;
  for (let rank = 0; rank < ranks && firstDifference === null; rank++) {
    const { recorded: was, replayed: is } = at(rank);
    if (was?.sample !== is?.sample || !Object.is(was?.score, is?.score)) firstDifference = rank;
  }
  const before = new Set(recorded.map(({ sample }) => sample));
  const common = replayed.filter(({ sample }) => before.has(sample)).length;
  const either = recorded.length + replayed.length - common;
  return {
    verdict: firstDifference === null ? ('IDENTICAL' as const) : ('DIFFERENT' as const),
    recorded: recorded.length,
    chosen: replayed.length,
    common,
    jaccard: either === 0 ? 1 : common / either,
    firstDifference,
    top: Array.from({ length: Math.min(top, ranks) }, (_, rank) => at(rank)),
  };
}

/** A past round of a project that is served; null: there is none. One is run at a time, for each is held in memory. */
export async function replay(
  concord: Concord,
  { live }: Audience,
  round: number,
  options: Omit<ReplayOptions, 'pause'>,
): Promise<Replay | null> {
  const signal = concord.untilStopped(options.signal);
  const found = await live.read(({ rounds }) => rounds[round - 1]);
  if (found === undefined) return null;
  const { environment, store, strategies, largeInputs } = concord;
  const past = { opened: found.opened, seq: found.openedSeq };
  const pause = () => delay(environment, 0);
  return largeInputs.run(() => {
    signal.throwIfAborted();
    return orRefusal(replayRound(store, live.id, strategies, past, { ...options, pause, signal }));
  });
}
