import type { Client } from '../client/client.ts';
import type { CallOptions } from '../client/operation.ts';
import type { NewSample } from './importing.ts';

/** Keys that are asked for at a time: the most that the service takes. */
const KEYS = 1_000;

/** A sample of an import is there already, with other data. */
export class ExistingSampleError<Sample extends NewSample = NewSample> extends Error {
  override name = 'ExistingSampleError';
  /** The sample as it was to be imported. */
  readonly sample: Sample;

  constructor(sample: Sample) {
    super(`There is a sample '${sample.key}' already, with other data.`);
    this.sample = sample;
  }
}

export interface ExistingOptions extends CallOptions {
  /** Called with how many samples have been found to be there already, whenever that has changed. */
  readonly onExisting?: ((count: number) => void) | undefined;
}

/** Those samples that are not there yet, in their order. */
export async function* withoutExisting<Sample extends NewSample>(
  client: Client,
  project: string,
  mustSee: <T>(value: T | null) => T,
  samples: Iterable<Sample> | AsyncIterable<Sample>,
  { onExisting, ...options }: ExistingOptions = {},
): AsyncGenerator<Sample, void, undefined> {
  let count = 0;
  for await (const batch of batches(samples)) {
    const keys = batch.map(({ key }) => key);
    const found = mustSee(await client.samplesWithKeys({ project, keys }, options));
    const before = count;
    const missing = batch.filter((sample, i) => {
      const there = found[i];
      if (there == null) return true;
      // What was erased is not to come back.
      if (!there.isErased && !areSame(there.data, sample.data)) throw new ExistingSampleError(sample);
      count++;
      return false;
    });
    if (count > before) onExisting?.(count);
    yield* missing;
  }
}

async function* batches<T>(
  items: Iterable<T> | AsyncIterable<T>,
): AsyncGenerator<readonly T[], void, undefined> {
  let batch: T[] = [];
  for await (const item of items) {
    batch.push(item);
    if (batch.length === KEYS) {
      yield batch;
      batch = [];
    }
  }
  if (batch.length > 0) yield batch;
}

function areSame(a: unknown, b: unknown): boolean {
  // Mostly they are alike to the letter; what is very deep could not be put in order.
  return JSON.stringify(a) === JSON.stringify(b) || canonical(a) === canonical(b);
}

/** JSON in which the order of an object's fields tells nothing. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}
