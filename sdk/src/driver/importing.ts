import type { Client } from '../client/client.ts';
import { PartOutOfOrderError } from '../client/generated/errors.ts';
import type { ImportSamplesInput, SampleInput } from '../client/generated/schema.ts';
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

/** Parts under way at a time: while the service works on one, the next is made and sent. */
const UNDER_WAY = 2;

interface SentPart {
  readonly input: ImportSamplesInput;
  readonly answer: Promise<ImportedPart>;
}

/** Imports samples part by part, numbered in their order. */
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
  const sent: SentPart[] = [];
  const failure = new AbortController();
  const ended = signal ? AbortSignal.any([signal, failure.signal]) : failure.signal;
  const send = (input: ImportSamplesInput) => client.importSamples(input, { signal: ended });
  const takeFirst = async () => {
    const first = sent.shift() as SentPart;
    const range = await first.answer.catch((error: unknown) => {
      // It did not wait long enough for the part before it, which is in by now.
      if (error instanceof PartOutOfOrderError) return send(first.input);
      throw error;
    });
    ranges.push(range);
    count += range.count;
    onProgress?.({ samples: count, parts: ranges.length });
  };
  try {
    for await (const part of oneAhead(parts(samples, partSize))) {
      const input = { project, importId, part: ranges.length + sent.length, samples: part };
      const answer = send(input);
      // It is heard of in its turn.
      answer.catch(() => undefined);
      sent.push({ input, answer });
      if (sent.length === UNDER_WAY) await takeFirst();
    }
    while (sent.length > 0) await takeFirst();
  } finally {
    failure.abort();
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
  for await (const { key, data, groundTruth } of samples) {
    const length = key.length + (JSON.stringify(data) ?? '').length;
    if (part.length >= size || (part.length > 0 && characters + length > PART_CHARACTERS)) {
      yield part;
      part = [];
      characters = 0;
    }
    part.push({ key, data, ...(groundTruth != null && { groundTruth }) });
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
