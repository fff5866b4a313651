import { decodeGlobalID, encodeGlobalID } from '@pothos/plugin-relay';
import { notFound } from '../domain/refusals.ts';

/** Ids as clients see them: opaque, and unique over the whole service. */

export type NodeType =
  | 'Project'
  | 'Member'
  | 'Sample'
  | 'PredictionRun'
  | 'Round'
  | 'Assignment'
  | 'Token'
  | 'Invitation';

export function globalId(type: NodeType, ...parts: readonly (string | number)[]): string {
  return encodeGlobalID(type, parts.join('/'));
}

/** How many parts the ids of each type have. */
const PARTS: Readonly<Record<NodeType, number>> = {
  Project: 1,
  Member: 1,
  Sample: 2,
  PredictionRun: 2,
  Round: 2,
  Assignment: 2,
  Token: 1,
  Invitation: 1,
};

/**
 * The parts of an id of a type.
 * @throws {Refusal} NOT_FOUND: a malformed id looks like one of something that does not exist
 */
export function parseId(id: string, type: NodeType): readonly string[] {
  const { typename, id: local } = decode(id) ?? {};
  const parts = typename === type ? (local?.split('/') ?? []) : [];
  if (parts.length !== PARTS[type]) throw notFound(nameOf(type));
  return parts;
}

/** An id given to `node`, as the Relay plugin takes it: one that names nothing is a project that is not there. */
export function decodeNodeId(id: string): { typename: string; id: string } {
  const { typename, id: local = '' } = decode(id) ?? {};
  switch (typename) {
    case 'Project':
    case 'Sample':
    case 'PredictionRun':
    case 'Round':
      return { typename, id: local };
    default:
      return { typename: 'Project', id: '' };
  }
}

function decode(id: string): { readonly typename: string; readonly id: string } | null {
  try {
    return decodeGlobalID(id);
  } catch {
    return null;
  }
}

function nameOf(type: NodeType): string {
  return type.replace(/([a-z])([A-Z])/g, '$1 $2').toLowerCase();
}

/** The ordinal of a sample by its id. One of another project is none of this one's: it looks like one that does not exist. */
export function ordinalIn({ live }: { readonly live: { readonly id: string } }, id: string): number {
  const [project = '', ordinal = ''] = parseId(id, 'Sample');
  return project === live.id && /^\d+$/.test(ordinal) ? Number(ordinal) : -1;
}
