import { classCounts } from '../domain/labelled.ts';
import { badRows } from '../domain/probabilities.ts';
import { openStrategyHost, type SamplePool } from '../strategies/host.ts';
import { CommandError } from './command.ts';
import { realEnvironment } from './environment.ts';
import { type NumpyArray, readNpy } from './npy.ts';
import { pluginFolders } from './package.ts';
import { jsonOf, pluginNamed } from './strategyArguments.ts';

/** What `concord try-strategy` is given. An option that may be left out is empty then. */
export type TryOptions = Readonly<
  Record<'count' | 'seed' | 'parameters' | 'embeddings' | 'passes' | 'labels', string>
>;

/** How often it is run, for the median. */
const RUNS = 5;

/** `concord try-strategy`: one plugin over numbers from files, in a worker as in the service. */
export async function tryStrategy(options: TryOptions, rest: readonly string[]): Promise<boolean> {
  const [file, matrix, ...more] = rest;
  if (file === undefined || matrix === undefined || more.length > 0) {
    throw new CommandError('give one plugin and one .npy file. See concord try-strategy --help.');
  }
  const count = whole('count', options.count);
  const seed = whole('seed', options.seed);
  const parameters = jsonOf(options.parameters);
  const pool = await poolFrom(matrix, options);
  const { folder, plugin } = await pluginNamed(file);
  const folders = await pluginFolders([folder.path]);
  const host = await openStrategyHost({ folder: folders, environment: realEnvironment });
  try {
    // Of the folders the last: its own, which may be Concord's.
    const name = `${folders.at(-1)?.prefix}${plugin.file}`;
    const info = host.list().find((one) => one.file === name);
    if (info === undefined)
      throw new CommandError(`${file} is passed over: its name begins with _ or is that of a test`);
    if (info.problem !== null) throw new CommandError(`${file} cannot be used: ${info.problem}`);
    const request = { strategy: info.name, parameters, seed, count, pool };
    const times: number[] = [];
    let chosen = await host.select(request);
    for (let run = 0; run < RUNS; run++) {
      const since = performance.now();
      chosen = await host.select(request);
      times.push(performance.now() - since);
    }
    const middle = times.sort((a, b) => a - b)[RUNS >> 1] ?? 0;
    const peak = process.resourceUsage().maxRSS / 1024;
    const lines = [
      `${info.name} ${info.version?.slice(0, 12)}: ${info.description}`,
      `parameters ${JSON.stringify(chosen.parameters)}, seed ${seed}${asked(chosen.asked)}`,
      `${pool.ordinals.length} samples of ${pool.labelSet.length} classes: ${middle.toFixed(1)} ms (median of ${RUNS}); the process took ${peak.toFixed(0)} MiB at its peak`,
      '',
      `${cell('sample', 9)}${cell('score', 12)}${cell('normalised', 12)}${cell('class', 7)}confidence`,
      ...Array.from(chosen.ordinals, (ordinal, rank) => {
        const [label, confidence] = likeliest(pool, ordinal);
        const score = chosen.scores[rank] ?? Number.NaN;
        const drawn = chosen.random[rank] === 1 ? '  random' : '';
        const reason = chosen.reasons?.[rank] ?? null;
        return `${cell(ordinal, 9)}${cell(Number.isNaN(score) ? '–' : score.toFixed(6), 12)}${cell((chosen.normalised[rank] ?? 0).toFixed(4), 12)}${cell(label, 7)}${confidence.toFixed(4)}${drawn}${reason === null ? '' : `  ${reason}`}`;
      }),
    ];
    process.stdout.write(`${lines.join('\n')}\n`);
    return true;
  } catch (error) {
    // What the plugin does wrong is what was to be found out, and no fault of this program.
    if (error instanceof Error && 'code' in error && 'strategy' in error)
      throw new CommandError(error.message);
    throw error;
  } finally {
    await host.close();
  }
}

function asked(others: readonly { readonly strategy: string }[]): string {
  return others.length === 0 ? '' : `, it may ask ${others.map(({ strategy }) => strategy).join(', ')}`;
}

function cell(value: string | number, width: number): string {
  return String(value).padEnd(width);
}

function whole(option: string, text: string): number {
  const value = Number(text);
  if (text.trim() !== '' && Number.isInteger(value) && value >= 0 && value <= 0xffffffff) return value;
  throw new CommandError(`--${option} is a whole number from 0 to 4294967295, and not ${text}`);
}

function likeliest({ predictions, labelSet }: SamplePool, ordinal: number): [number, number] {
  const row = (predictions?.rowOf[ordinal] ?? 0) * labelSet.length;
  const numbers = predictions?.probabilities.subarray(row, row + labelSet.length) ?? new Float32Array(1);
  const confidence = Math.max(...numbers);
  return [numbers.indexOf(confidence), confidence];
}

/** @throws {CommandError} the files do not fit together */
async function poolFrom(matrix: string, options: TryOptions): Promise<SamplePool> {
  const probabilities = await readNpy(matrix);
  const [samples = 0, classes = 0] = probabilities.shape;
  if (probabilities.shape.length !== 2 || classes < 2) {
    throw new CommandError(
      `${matrix} has the shape (${probabilities.shape}); probabilities are samples × classes, 2 or more`,
    );
  }
  const shared = shareOf(probabilities.values);
  checkRows(matrix, shared, classes);
  const read = async (path: string) => (path === '' ? null : await readNpy(path));
  const [embeddings, passes, labels] = await Promise.all([
    read(options.embeddings),
    read(options.passes),
    read(options.labels),
  ]);
  const fits = (given: NumpyArray | null, what: string, shape: readonly (number | undefined)[]) => {
    const isRight =
      given === null ||
      (given.shape.length === shape.length &&
        shape.every((length, i) => length === undefined || length === given.shape[i]));
    if (!isRight) {
      const wanted = shape.map((length) => length ?? 'any').join(' × ');
      throw new CommandError(`--${what} has the shape (${given.shape}), and ${wanted} is wanted`);
    }
  };
  fits(embeddings, 'embeddings', [samples, undefined]);
  fits(passes, 'passes', [undefined, samples, classes]);
  fits(labels, 'labels', [samples]);

  const rowOf = new Uint32Array(new SharedArrayBuffer(4 * samples)).map((_, i) => i);
  const isLabelled = (ordinal: number) => (labels?.values[ordinal] ?? -1) >= 0;
  const all = Uint32Array.from({ length: samples }, (_, ordinal) => ordinal);
  const labelled = all.filter(isLabelled);
  const given = Uint16Array.from(labelled, (ordinal) => labels?.values[ordinal] ?? 0);
  const beyond = given.find((label) => label >= classes);
  if (beyond !== undefined)
    throw new CommandError(`--labels has the class ${beyond} of ${classes}; −1 is no label`);
  const open = all.filter((ordinal) => !isLabelled(ordinal));
  const size = samples * classes;
  return {
    ordinals: open,
    accepted: new Uint8Array(open.length),
    labelSet: Array.from({ length: classes }, (_, label) => `class ${label}`),
    predictions: {
      rowOf,
      probabilities: shared,
      passes:
        passes &&
        Array.from({ length: passes.shape[0] ?? 0 }, (_, pass) =>
          shareOf(passes.values.subarray(pass * size, (pass + 1) * size)),
        ),
    },
    embeddings: embeddings && {
      rowOf,
      values: shareOf(embeddings.values),
      dimensions: embeddings.shape[1] ?? 1,
    },
    labelled: { ordinals: labelled, labels: given },
    classCounts: classCounts(given, classes),
    cost: null,
  };
}

function shareOf(values: NumpyArray['values']): Float32Array {
  const shared = new Float32Array(new SharedArrayBuffer(4 * values.length));
  shared.set(values);
  return shared;
}

/** As when predictions are published. */
function checkRows(file: string, matrix: Float32Array, classes: number): void {
  const [bad] = badRows(matrix, classes).badRows;
  if (bad === undefined) return;
  const sum = matrix.subarray(bad.row * classes, (bad.row + 1) * classes).reduce((total, p) => total + p, 0);
  throw new CommandError(
    `${file}: row ${bad.row} is no probabilities: they are ≥ 0 and sum to 1, and not to ${sum}`,
  );
}
