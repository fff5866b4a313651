import { labelIndex } from './classNames.ts';
import type { Decision } from './decision.ts';
import type { PayloadBlock } from './events.ts';
import type { ImportedPart, Project } from './project.ts';
import { hash32, stringSeed, uniform } from './random.ts';
import { refuse } from './refusals.ts';

/** The most samples one part of an import may have: its keys stand in one commit. */
export const MAX_IMPORT_PART = 10_000;
/** The longest key, in characters. */
export const MAX_KEY_LENGTH = 256;

const OVERLAP_STREAM = stringSeed('overlap share');
const NAMED = 10;

export interface ImportPart {
  readonly by: string;
  /** Chosen by the importer; the parts of one import share it. */
  readonly importId: string;
  /** Number of the part within the import, from 0; the one before it must be in. */
  readonly part: number;
  readonly keys: readonly string[];
  /** What samples, by their place in the part, are known to be: they become gold. */
  readonly groundTruth?: readonly { readonly place: number; readonly label: string }[];
  /** The payloads in the order of the keys, stored before. */
  readonly blocks: readonly PayloadBlock[];
}

/**
 * Adds samples. A part that was imported before is not imported again: the first result stands. Which samples
 * several people will label is drawn here, before any label exists.
 */
export function* importSamples(project: Project, input: ImportPart): Decision<ImportedPart> {
  const { importId, part, keys, blocks, by, groundTruth = [] } = input;
  const before = project.imported(importId, part);
  if (before !== undefined) {
    const same =
      before.count === keys.length &&
      keys.every((key, i) => project.samples.keys.indexOf(key) === before.first + i);
    if (same) return before;
    throw refuse('INVALID_INPUT', {
      field: 'part',
      problem: `part ${part} of import '${importId}' was imported before with other samples`,
    });
  }
  // The samples' numbers must follow from what was imported, and not from which part arrived first.
  if (part > 0 && project.imported(importId, part - 1) === undefined)
    throw refuse('PART_OUT_OF_ORDER', { part, missing: part - 1 });
  checkKeys(project, keys);
  const known = groundTruth.map(({ place, label }) => ({ place, label: labelIndex(project, label) }));
  const stored = blocks.reduce((sum, block) => sum + block.count, 0);
  if (stored !== keys.length) throw new RangeError(`${stored} payloads for ${keys.length} keys`);
  const first = project.samples.size;
  const { overlap, overlapShare } = project.policy;
  const seed = hash32(project.created.seed, OVERLAP_STREAM);
  const overlapping: number[] = [];
  for (let i = 0; i < keys.length; i++) {
    if (overlap > 1 && uniform(seed, first + i) < overlapShare) overlapping.push(first + i);
  }
  yield {
    type: 'samplesImported',
    importId,
    part,
    keys,
    blocks,
    overlap,
    overlapping: Uint32Array.from(overlapping),
    by,
  };
  if (known.length > 0) {
    yield {
      type: 'goldSet',
      samples: Uint32Array.from(known, ({ place }) => first + place),
      labels: Uint32Array.from(known, ({ label }) => label),
      origin: 'IMPORT',
      by,
    };
  }
  return { first, count: keys.length };
}

function checkKeys(project: Project, keys: readonly string[]): void {
  if (keys.length === 0 || keys.length > MAX_IMPORT_PART) {
    throw refuse('INVALID_INPUT', {
      field: 'samples',
      problem: `a part has 1 to ${MAX_IMPORT_PART} samples, not ${keys.length}`,
    });
  }
  const seen = new Set<string>();
  const duplicates: string[] = [];
  for (const key of keys) {
    if (key === '' || key.length > MAX_KEY_LENGTH) {
      throw refuse('INVALID_INPUT', {
        field: 'key',
        problem: `'${key.slice(0, 40)}' is empty or over ${MAX_KEY_LENGTH} characters`,
      });
    }
    if (seen.has(key) || project.samples.keys.indexOf(key) >= 0) duplicates.push(key);
    seen.add(key);
  }
  if (duplicates.length > 0) {
    throw refuse('DUPLICATE_KEYS', { count: duplicates.length, keys: duplicates.slice(0, NAMED) });
  }
}
