import type { Role } from '../domain/directory.ts';
import { Refusal } from '../domain/refusals.ts';
import type { ProjectAccess } from '../service/access.ts';

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
export function maySee({ role }: ProjectAccess, allowed: readonly Role[]): boolean {
  return allowed.includes(role);
}
