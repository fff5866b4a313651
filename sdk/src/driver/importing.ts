import type { Client } from '../client/client.ts';
import type { SampleInput } from '../client/generated/schema.ts';
import type { ImportedPart } from '../client/generated/types.ts';
import type { CallOptions } from '../client/operation.ts';

/** A sample to import. */
export type NewSample = SampleInput;

/** A part is full with so many samples, or before it would have more characters of JSON than this. */
const PART_SAMPLES = 5_000;
const PART_CHARACTERS = 4 * 1024 * 1024;

/** How far an import has come. */
export interface ImportProgress {
  /** Samples that are in, so far. */
  readonly samples: number;
  /** Parts that are in, so far. */
  readonly parts: number;
}

export interface ImportOptions extends CallOptions {
  /**
   * Your name of the import, 1 to 200 characters. An import that is run again under its name, with the same samples
   * in the same order, goes on where it broke off. Default: a random one.
   */
  readonly importId?: string | undefined;
  /** Samples in a part, 1…10,000; the same whenever an import is run again. Default: 5,000. */
  readonly partSize?: number | undefined;
  /** Called after each part. */
  readonly onProgress?: ((progress: ImportProgress) => void) | undefined;
}

/** What an import came to. */
export interface Imported extends ImportProgress {
  readonly importId: string;
  /** Where each part lies: the number of its first sample, by which predictions can name it, and how many it has. */
  readonly ranges: readonly ImportedPart[];
}

/** Imports samples part by part: parts are numbered in the order in which they arrive, so one after the other. */
export async function importSamples(
  client: Client,
  project: string,
  samples: Iterable<NewSample> | AsyncIterable<NewSample>,
  { importId = crypto.randomUUID(), partSize = PART_SAMPLES, onProgress, signal }: ImportOptions = {},
): Promise<Imported> {
  if (!Number.isInteger(partSize) || partSize < 1)
    throw new RangeError(`partSize is 1 or more, not ${partSize}`);
  const ranges: ImportedPart[] = [];
  let count = 0;
  for await (const part of oneAhead(parts(samples, partSize))) {
    const input = { project, importId, part: ranges.length, samples: part };
    ranges.push(await client.importSamples(input, { signal }));
    count += part.length;
    onProgress?.({ samples: count, parts: ranges.length });
  }
  return { importId, samples: count, parts: ranges.length, ranges };
}

/** The cuts depend on the samples alone, so that an import that is run again has the same parts. */
async function* parts(
  samples: Iterable<NewSample> | AsyncIterable<NewSample>,
  size: number,
): AsyncGenerator<readonly NewSample[]> {
  let part: NewSample[] = [];
  let characters = 0;
  for await (const { key, data } of samples) {
    const length = key.length + (JSON.stringify(data) ?? '').length;
    if (part.length >= size || (part.length > 0 && characters + length > PART_CHARACTERS)) {
      yield part;
      part = [];
      characters = 0;
    }
    part.push({ key, data });
    characters += length;
  }
  if (part.length > 0) yield part;
}

/** The same items, each but the first made while its reader is busy with the one before. */
async function* oneAhead<T>(items: AsyncGenerator<T, void>): AsyncGenerator<T> {
  let next = items.next();
  try {
    for (;;) {
      const { done, value } = await next;
      if (done) return;
      next = turn().then(() => items.next());
      // Whoever reads on hears of a failure; whoever leaves need not.
      next.catch(() => undefined);
      yield value;
    }
  } finally {
    await items.return();
  }
}

/** Lets what was begun get on its way first. */
function turn(): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, 0);
  });
}
