import { decodeGlobalID, encodeGlobalID } from '@pothos/plugin-relay';
import type { Role } from '../domain/directory.ts';
import { access, type ProjectAccess } from '../service/access.ts';
import { notFound } from '../service/concord.ts';
import { type Context, viewerOf } from './builder.ts';

/** Ids as clients see them: opaque, and unique over the whole service. */

export type NodeType = 'Project' | 'Member' | 'Sample' | 'PredictionRun' | 'Round' | 'Assignment';

export function globalId(type: NodeType, ...parts: readonly (string | number)[]): string {
  return encodeGlobalID(type, parts.join('/'));
}

/**
 * The parts of an id of a type.
 * @throws {Refusal} NOT_FOUND: a malformed id looks like one of something that does not exist
 */
export function parseId(id: string, type: NodeType): readonly string[] {
  try {
    const { typename, id: local } = decodeGlobalID(id);
    if (typename === type) return local.split('/');
  } catch {
    // Falls through: what cannot be decoded names nothing.
  }
  throw notFound(nameOf(type));
}

function nameOf(type: NodeType): string {
  return type.replace(/([a-z])([A-Z])/g, '$1 $2').toLowerCase();
}

/**
 * A project by its global id, for a viewer in one of the allowed roles.
 * @throws {Refusal} NOT_FOUND, FORBIDDEN; see {@link access}
 */
export async function projectById(
  context: Context,
  id: string,
  allowed?: readonly Role[],
): Promise<ProjectAccess> {
  const [project = ''] = parseId(id, 'Project');
  return accessById(context, project, allowed);
}

/** The same by the id that the project has within the service. */
export function accessById(
  context: Context,
  project: string,
  allowed?: readonly Role[],
): Promise<ProjectAccess> {
  return access(context.concord, viewerOf(context), project, allowed);
}
