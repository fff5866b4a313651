import type { RoleRule } from '../service/signOn.ts';
import type { IdentityProviderOptions } from './identityProvider.ts';

/** Whose tokens are taken beside Concord's own, and what their groups may do. */
export interface SignOnConfig extends Omit<IdentityProviderOptions, 'now' | 'cooldownMs'> {
  /** `project` is an id or a name. */
  readonly roles: readonly RoleRule[];
}

const ROLE = /^(.+)=([^=]+):(driver|annotator|viewer)$/i;

/** Rules written as GROUP=PROJECT:ROLE; null: one is not. */
export function rulesIn(texts: readonly string[]): readonly RoleRule[] | null {
  const rules = texts.map((text): RoleRule | null => {
    const [, group, project, role] = ROLE.exec(text) ?? [];
    if (group === undefined || project === undefined || role === undefined) return null;
    return { group: group.trim(), project: project.trim(), role: role.toUpperCase() as RoleRule['role'] };
  });
  return rules.includes(null) ? null : (rules as RoleRule[]);
}
