import { type Client, createClient } from '@concord/sdk/client';
import { connectDriver, type DriverProject, type Round } from '@concord/sdk/driver';
import type { CurvePoint } from '../../demo/learning-curve.ts';
import { accuracyOn, CLASSES, type Digit, learn, PIXELS, probabilities, type Study } from './digits.ts';

/** Digits drawn at random for the first model, the same in every arm of a seed. */
export const SEED_SET = 20;

export interface ArmOptions {
  readonly url: string;
  readonly ownerToken: string;
  readonly strategy: string;
  readonly roundSize: number;
  /** Ends with the first round after which there are so many labels. */
  readonly labels: number;
  readonly seed: number;
}

/**
 * One way of choosing what to label, from an empty project to the last round, through the service and the SDK. One
 * annotator, who does not err, labels every sample once; so what differs between the arms is the choice.
 */
export async function runArm(study: Study, options: ArmOptions): Promise<CurvePoint[]> {
  const { url, ownerToken, strategy, roundSize, labels, seed } = options;
  const driver = connectDriver({ url, token: ownerToken });
  try {
    const project = await driver.createProject({
      name: `${strategy} ${roundSize}, seed ${seed}`,
      labels: [...CLASSES],
      seed,
      policy: { strategy, roundSize, overlapShare: 0, autoAcceptThreshold: null, workSessionMinutes: 0 },
    });
    await project.importSamples(study.pool.map(({ key, pixels }) => ({ key, data: [...pixels] })));
    const keys = study.pool.map(({ key }) => key);
    // What DMBAL clusters by: the pixels themselves.
    await project.publishEmbeddings({ model: 'pixels', keys, embeddings: matrixOf(study.pool) });
    const { token } = await project.addMember({ name: 'Ada', role: 'ANNOTATOR', kind: 'PERSON' });
    const annotator = createClient({ url, token });
    const truths = new Map(study.pool.map(({ pixels, label }) => [pixels.join(), label]));
    const byKey = new Map(study.pool.map((digit) => [digit.key, digit]));

    const curve: CurvePoint[] = [];
    let round = await project.openRound({ strategy: 'random', parameters: {}, size: SEED_SET, seed });
    for (;;) {
      await label(annotator, project, round, truths);
      const examples: [Digit, string][] = [];
      for await (const { sample, label } of project.trainingSet()) {
        examples.push([byKey.get(sample.key) as Digit, label]);
      }
      const model = learn(examples);
      curve.push({ labels: examples.length, accuracy: accuracyOn(model, study.test) });
      if (examples.length >= labels) return curve;
      await project.publishPredictions({
        model: `logistic-${curve.length}`,
        keys,
        probabilities: probabilities(model, study.pool),
      });
      round = await project.openRound({ seed: seed + 1_000 * curve.length });
    }
  } finally {
    driver.close();
  }
}

/** Labels a whole round, as a person does who sees nothing but the digits. */
async function label(
  annotator: Client,
  project: DriverProject,
  { total }: Round,
  truths: ReadonlyMap<string, string>,
): Promise<void> {
  for (let done = 0; done < total; ) {
    const { assignments, empty } = await annotator.claim({
      project: project.id,
      hold: Math.min(100, total - done),
    });
    if (assignments.length === 0) throw new Error(`nothing to label: ${empty?.reason}`);
    await Promise.all(
      assignments.map(async ({ id, data }) => {
        const label = truths.get((data as number[]).join());
        if (label === undefined) throw new Error('the service sent a digit that was never imported');
        await annotator.submit({ assignment: id, label, hold: null });
      }),
    );
    done += assignments.length;
  }
}

function matrixOf(digits: readonly Digit[]): Float32Array {
  const matrix = new Float32Array(digits.length * PIXELS);
  digits.forEach(({ pixels }, i) => {
    matrix.set(pixels, i * PIXELS);
  });
  return matrix;
}
