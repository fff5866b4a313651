import type { Role } from '../domain/directory.ts';
import { Refusal } from '../domain/refusals.ts';
import { type Audience, access, type ProjectAccess } from '../service/access.ts';
import { type Context, viewerOf } from './builder.ts';
import { parseId } from './ids.ts';

/**
 * A project by its global id, for a viewer in one of the allowed roles.
 * @throws {Refusal} NOT_FOUND, FORBIDDEN; see {@link access}
 */
export async function projectById(
  context: Context,
  id: string,
  allowed?: readonly Role[],
): Promise<ProjectAccess> {
  // Who asks comes first: to nobody, ids that name something look like those that do not.
  const viewer = viewerOf(context);
  const [project = ''] = parseId(id, 'Project');
  return access(context.concord, viewer, project, allowed);
}

/** The same by the id that the project has within the service. */
export function accessById(
  context: Context,
  project: string,
  allowed?: readonly Role[],
): Promise<ProjectAccess> {
  return access(context.concord, viewerOf(context), project, allowed);
}

/** In queries, what is missing and what is not yours to see are both null. */
export async function orNull<T>(value: Promise<T>): Promise<T | null> {
  try {
    return await value;
  } catch (error) {
    if (error instanceof Refusal && (error.code === 'NOT_FOUND' || error.code === 'FORBIDDEN')) return null;
    throw error;
  }
}

/** Whether somebody's role lets them see what only `allowed` may. */
export function maySee({ role }: Audience, allowed: readonly Role[]): boolean {
  return allowed.includes(role);
}
