import type { ImportedPart } from '../domain/project.ts';
import { refuse } from '../domain/refusals.ts';
import type { ProjectAccess } from './access.ts';
import type { Concord } from './concord.ts';
import { MAX_PAYLOAD_BYTES, writePayloads } from './payloads.ts';

/** A sample as it is imported. */
export interface NewSample {
  /** The importer's own name of it, unique in the project. */
  readonly key: string;
  /** What is to be labelled: any JSON. */
  readonly data?: unknown;
}

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
  const blocks = await writePayloads(concord.store, payloads, concord.environment.now());
  const keys = samples.map(({ key }) => key);
  const input = { by: viewer.member, importId, part, keys, blocks };
  return live.execute('importSamples', input, (_, imported) => imported, { alone: true });
}
