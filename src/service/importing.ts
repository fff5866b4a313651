import type { ImportedPart } from '../domain/project.ts';
import { refuse } from '../domain/refusals.ts';
import type { ProjectAccess } from './access.ts';
import type { Concord } from './concord.ts';
import type { LiveProject } from './liveProject.ts';
import { MAX_PAYLOAD_BYTES, saltedIn, writePayloads } from './payloads.ts';

/** A sample as it is imported. */
export interface NewSample {
  /** The importer's own name of it, unique in the project. */
  readonly key: string;
  /** What is to be labelled: any JSON. */
  readonly data?: unknown;
  /** What it is known to be: it becomes gold. */
  readonly groundTruth?: string | null | undefined;
}

/** How long a part waits for the one before it, which may be under way on another connection, in milliseconds. */
const WAIT_MS = 2_000;

/** Stores the payloads of one part of an import, then commits the part. */
export async function importPart(
  concord: Concord,
  { live, viewer }: ProjectAccess,
  {
    importId,
    part,
    samples,
  }: { readonly importId: string; readonly part: number; readonly samples: readonly NewSample[] },
): Promise<ImportedPart> {
  const payloads = samples.map(({ key, data }) => {
    const bytes = Buffer.from(JSON.stringify(data ?? null), 'utf8');
    if (bytes.length > MAX_PAYLOAD_BYTES) {
      throw refuse('PAYLOAD_TOO_LARGE', {
        what: `the data of '${key}'`,
        bytes: bytes.length,
        limit: MAX_PAYLOAD_BYTES,
      });
    }
    return bytes;
  });
  // What is in already is not stored again: some of it may have been erased since.
  const isIn = await live.read((project) => project.imported(importId, part) !== undefined);
  const blocks = isIn ? [] : await writePayloads(concord.store, payloads, saltedIn(concord.environment));
  await untilImported(concord, live, importId, part - 1);
  const keys = samples.map(({ key }) => key);
  const groundTruth = samples.flatMap(({ groundTruth: label }, place) =>
    label == null ? [] : [{ place, label }],
  );
  const input = { by: viewer.member, importId, part, keys, groundTruth, blocks };
  return live.execute('importSamples', input, (_, imported) => imported, { alone: true });
}

/** Waits until a part is in, but not for ever: who comes too early is refused. */
async function untilImported(
  { hub, environment }: Concord,
  live: LiveProject,
  importId: string,
  part: number,
): Promise<void> {
  const isIn = () => live.read((project) => part < 0 || project.imported(importId, part) !== undefined);
  if (await isIn()) return;
  const follower = hub.follow([live.id]);
  const cancel = environment.setTimer(() => follower.close(), WAIT_MS);
  while (!(await isIn()) && (await follower.changed()));
  cancel();
  follower.close();
}
