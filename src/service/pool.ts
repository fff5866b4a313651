import { NEEDS, type Need } from '@concord/sdk/strategy';
import type { Embeddings } from '../domain/embedding.ts';
import type { JsonRecord } from '../domain/events.ts';
import { answerSeconds, classCounts, labelledSamples } from '../domain/labelled.ts';
import type { PredictionRun } from '../domain/predictionRun.ts';
import type { Project } from '../domain/project.ts';
import { candidatePool, strategyStates } from '../domain/rounds.ts';
import type { Store } from '../journal/port.ts';
import type { SamplePool } from '../strategies/host.ts';
import type { Concord } from './concord.ts';
import type { LiveProject } from './liveProject.ts';
import { loadEmbeddings, loadPasses, type Matrix } from './strategyInputs.ts';
import { orRefusal } from './trouble.ts';

/** What a project can give to strategies. */
export function inputsOf({ currentRun, embeddings, answers }: Project): Need[] {
  const has: Readonly<Record<Need, boolean>> = {
    probabilities: currentRun !== undefined,
    passes: (currentRun?.passes ?? 0) > 0,
    embeddings: embeddings !== null,
    labelled: true,
    classCounts: true,
    // Whether any was measured shows when they are looked through.
    cost: answers > 0,
  };
  return NEEDS.filter((need) => has[need]);
}

/** A project's pool at one commit, with what a strategy needs. */
export interface PoolRead {
  readonly seq: number;
  readonly run: PredictionRun | undefined;
  readonly pool: SamplePool;
  readonly states: Readonly<Record<string, JsonRecord>>;
}

/** What is read of a projection at once; the large inputs are loaded after. */
export interface PoolHead extends Omit<PoolRead, 'pool'> {
  readonly samples: number;
  readonly embeddings: Embeddings | null;
  readonly pool: Omit<SamplePool, 'predictions' | 'embeddings'>;
}

export function readPool(project: Project, needs: readonly Need[]): PoolHead {
  const { labels } = project;
  const labelled = needs.some((need) => need === 'labelled' || need === 'classCounts')
    ? labelledSamples(project)
    : null;
  return {
    seq: project.seq,
    run: project.currentRun,
    samples: project.samples.size,
    embeddings: project.embeddings,
    states: strategyStates(project),
    pool: {
      ...candidatePool(project),
      labelSet: labels,
      labelled,
      classCounts: labelled && classCounts(labelled.labels, labels.length),
      cost: needs.includes('cost') ? answerSeconds(project) : null,
    },
  };
}

/**
 * Adds the large inputs, as far as they are needed.
 * @param matrixOf gives the probabilities of a run
 */
export async function loadPool(
  store: Store,
  { samples, embeddings, ...head }: PoolHead,
  needs: readonly Need[],
  matrixOf: (run: PredictionRun, classes: number, samples: number) => Promise<Matrix>,
): Promise<PoolRead> {
  const { run, pool } = head;
  const classes = pool.labelSet.length;
  const needsRun = needs.includes('probabilities') || needs.includes('passes');
  const matrix = run && needsRun ? await orRefusal(matrixOf(run, classes, samples)) : null;
  const passes =
    run && run.passes > 0 && needs.includes('passes')
      ? await orRefusal(loadPasses(store, run, classes))
      : null;
  return {
    ...head,
    pool: {
      ...pool,
      predictions: matrix && {
        ...matrix,
        passes: passes?.matrices ?? null,
        passesMemory: passes?.memory ?? null,
      },
      embeddings:
        embeddings && needs.includes('embeddings')
          ? await orRefusal(loadEmbeddings(store, embeddings, samples))
          : null,
    },
  };
}

/**
 * Does something with a project's pool as it is now. Passes and embeddings are let go after, and of those that need
 * them only one is under way at a time, so that they take up memory once.
 * @throws the signal's reason, if it is aborted before the pool is read
 */
export function withPool<T>(
  concord: Concord,
  live: LiveProject,
  needs: readonly Need[],
  signal: AbortSignal,
  work: (read: PoolRead) => Promise<T>,
): Promise<T> {
  const isLarge = needs.includes('passes') || needs.includes('embeddings');
  const done = async () => {
    signal.throwIfAborted();
    const head = await live.read((project) => readPool(project, needs));
    return work(await loadPool(concord.store, head, needs, (...run) => live.matrix.of(...run)));
  };
  return isLarge ? concord.largeInputs.run(done) : done();
}
