import { z } from 'zod';
import type { NumberArray } from '../domain/columns.ts';
import type { ProjectState } from '../domain/projectState.ts';
import { decodeValue, encodeValue } from '../journal/codec.ts';
import type { ChunkId, Store, StoredValue } from '../journal/port.ts';
import { mustGetSoundChunk } from './chunks.ts';

/*
 * A snapshot is the state of a projection at one commit, in **parts**: a part is a column or a list, as bytes, cut
 * into chunks. What was appended to a part leaves the chunks before as they were, so that they are stored once for
 * all snapshots. The **manifest** names the chunks; it is a document, written when all of them are stored: until then
 * the snapshot before stands.
 *
 * Each chunk begins with a line that says whose it is. So the chunks of two journals never coincide, nor does one of a
 * snapshot with anything else, and those of a snapshot that has been replaced can be deleted without asking anybody.
 *
 * A snapshot can be lost at any time: the journal alone is the truth.
 */

/** Raise it when the manifest or the bytes of a part change; the fold has a version of its own. */
const FORMAT = 1;

export const MANIFESTS = 'snapshots';

/** Of a part in one chunk. People's commits wait while one is written, so it is well below what a store takes. */
const BYTES_PER_CHUNK = 1024 * 1024;

const KINDS = {
  Uint8Array,
  Uint16Array,
  Int16Array,
  Uint32Array,
  Int32Array,
  Float32Array,
  Float64Array,
} as const;

/** What a part holds: numbers of one kind, in little-endian order, or values. */
const Kind = z.enum([...(Object.keys(KINDS) as (keyof typeof KINDS)[]), 'values']);

const Part = z.object({
  name: z.string(),
  kind: Kind,
  bytes: z.int().nonnegative(),
  chunks: z.array(z.string()),
});

const Manifest = z.object({
  format: z.literal(FORMAT),
  /** Of the fold that came to this state. */
  version: z.int(),
  /** The commit at which it stands, and that commit's id. */
  seq: z.int().positive(),
  commit: z.string(),
  parts: z.array(Part),
});

type Kind = z.infer<typeof Kind>;
type Part = z.infer<typeof Part>;
export type Manifest = Readonly<z.infer<typeof Manifest>>;

/**
 * The manifest of a journal's snapshot, or null: there is none, or it is of another format.
 * @throws {Error} it is damaged
 */
export async function readManifest(store: Store, journal: string): Promise<Manifest | null> {
  const stored = (await store.getDocument(MANIFESTS, journal)) as { readonly format?: unknown } | undefined;
  if (stored?.format !== FORMAT) return null;
  const manifest = Manifest.safeParse(stored);
  if (!manifest.success) throw new Error('its manifest is damaged');
  return manifest.data;
}

export function writeManifest(store: Store, journal: string, manifest: Manifest): Promise<void> {
  return store.putDocument(MANIFESTS, journal, manifest);
}

/** The chunks that a manifest names. */
export function chunksOf(manifest: Manifest | null): Set<ChunkId> {
  return new Set(manifest?.parts.flatMap(({ chunks }) => chunks));
}

export function bytesOf({ parts }: Manifest): number {
  return parts.reduce((sum, { bytes }) => sum + bytes, 0);
}

/**
 * Stores a state in chunks, one after another, and gives the manifest, which the caller stores when it wants the
 * snapshot to stand.
 * @param between is called before each chunk; what it throws ends the writing
 */
export async function writeState(
  store: Store,
  journal: string,
  state: ProjectState,
  head: Pick<Manifest, 'version' | 'seq' | 'commit'>,
  { now, between }: { readonly now: () => number; readonly between: () => Promise<void> },
): Promise<Manifest> {
  async function write(name: string, kind: Kind, pieces: Iterable<Uint8Array>): Promise<Part> {
    let bytes = 0;
    const chunks: ChunkId[] = [];
    for (const { chunk, length } of cut(headerOf(journal, name), pieces)) {
      await between();
      chunks.push(await store.putChunk(chunk, now()));
      bytes += length;
    }
    return { name, kind, bytes, chunks };
  }

  const parts: Part[] = [];
  for (const [name, column] of state.columns)
    parts.push(await write(name, kindOf(column), [bytesOver(column)]));
  for (const [name, list] of state.lists) parts.push(await write(name, 'values', encoded(list)));
  return { format: FORMAT, ...head, parts };
}

/**
 * The state of a manifest.
 * @param pause lets other work have a turn, now and then
 * @throws {DamagedChunkError} a chunk is missing, or is not what it was
 * @throws {Error} the manifest does not fit its chunks
 */
export async function readState(
  store: Store,
  journal: string,
  { parts }: Manifest,
  pause: () => Promise<void>,
): Promise<ProjectState> {
  const columns = new Map<string, NumberArray>();
  const lists = new Map<string, unknown[]>();
  for (const part of parts) {
    const { name, kind } = part;
    if (kind === 'values') {
      const bytes = new Uint8Array(part.bytes);
      await fill(bytes, part);
      lists.set(name, [...decoded(bytes)]);
    } else {
      const column = new KINDS[kind](part.bytes / KINDS[kind].BYTES_PER_ELEMENT);
      await fill(bytesOver(column), part);
      columns.set(name, column);
    }
  }
  return { columns, lists };

  async function fill(target: Uint8Array, { name, chunks }: Part): Promise<void> {
    const header = headerOf(journal, name);
    let at = 0;
    for (const id of chunks) {
      const chunk = await mustGetSoundChunk(store, id);
      if (header.compare(chunk, 0, header.length) !== 0) throw new Error(`chunk ${id} is none of ${name}`);
      const body = chunk.subarray(header.length);
      target.set(body, at);
      at += body.length;
      await pause();
    }
    if (at !== target.length) throw new Error(`${name} has ${at} bytes, and should have ${target.length}`);
  }
}

function headerOf(journal: string, part: string): Buffer {
  return Buffer.from(`snapshot of ${journal}: ${part}\n`);
}

function kindOf(column: NumberArray): Kind {
  for (const [name, kind] of Object.entries(KINDS)) if (column instanceof kind) return name as Kind;
  throw new TypeError(`a snapshot cannot hold a ${column.constructor.name}`);
}

function bytesOver(column: NumberArray): Uint8Array {
  return new Uint8Array(column.buffer, column.byteOffset, column.byteLength);
}

/** Bytes that come in pieces, in chunks with a header each. */
function* cut(
  header: Uint8Array,
  pieces: Iterable<Uint8Array>,
): Generator<{ readonly chunk: Uint8Array; readonly length: number }, void, void> {
  let chunk = new Uint8Array(header.length + BYTES_PER_CHUNK);
  chunk.set(header);
  let length = 0;
  for (const piece of pieces) {
    for (let from = 0; from < piece.length; ) {
      const some = piece.subarray(from, from + BYTES_PER_CHUNK - length);
      chunk.set(some, header.length + length);
      from += some.length;
      length += some.length;
      if (length < BYTES_PER_CHUNK) continue;
      yield { chunk, length };
      // Stores may still hold the one before.
      chunk = chunk.slice();
      length = 0;
    }
  }
  if (length > 0) yield { chunk: chunk.subarray(0, header.length + length), length };
}

/** Values as bytes: each in the store's own encoding, after its length. */
function* encoded(values: Iterable<unknown>): Generator<Uint8Array, void, void> {
  for (const value of values) {
    const bytes = encodeValue(value as StoredValue);
    const length = new Uint8Array(4);
    new DataView(length.buffer).setUint32(0, bytes.length, true);
    yield length;
    yield bytes;
  }
}

function* decoded(bytes: Uint8Array): Generator<unknown, void, void> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let at = 0; at < bytes.length; ) {
    const from = at + 4;
    at = from + view.getUint32(at, true);
    yield decodeValue(bytes.subarray(from, at));
  }
}
