import type { Directory } from './directory.ts';
import type { DirectoryDecision } from './directoryCommands.ts';

/**
 * Enters a project of another directory into this one, with who is in it: their roles, and for those who are new here
 * their tokens, so that they go on working. An owner of the service there is no owner of the service here. A project
 * that is entered already is left as it is.
 */
export function* adoptProject(
  directory: Directory,
  source: Directory,
  project: string,
): DirectoryDecision<void> {
  const entry = source.projects.get(project);
  if (entry === undefined || directory.projects.has(project)) return;
  // Who was erased here does not come back.
  const roles = [...entry.members].filter(([member]) => !directory.members.get(member)?.erased);
  for (const [member] of roles) {
    if (directory.members.has(member)) continue;
    const kind = source.members.get(member)?.kind ?? 'PERSON';
    yield { type: 'memberAdded', member, kind, serviceOwner: false };
    for (const { id, issuedAt: _, ...token } of source.tokensOf(member)) {
      const hash = source.hashOf(id);
      // Who signs on here already goes on as who they are here.
      if (hash !== undefined && directory.signedOn(hash) === undefined)
        yield { type: 'tokenIssued', version: 2, ...token, token: id, hash };
    }
  }
  const [owner = ''] = roles.find(([, role]) => role === 'OWNER') ?? [];
  yield { type: 'projectAdded', project, name: entry.name, by: owner };
  for (const [member, role] of roles) {
    if (member !== owner) yield { type: 'roleGranted', project, member, role, by: owner };
  }
}
