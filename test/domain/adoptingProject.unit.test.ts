import { describe, expect, it } from 'vitest';
import { adoptProject } from '../../src/domain/adoptingProject.ts';
import { Directory, type DirectoryEvent, UNCONFINED } from '../../src/domain/directory.ts';

const person = (member: string, serviceOwner = false): DirectoryEvent => ({
  type: 'memberAdded',
  member,
  kind: 'PERSON',
  serviceOwner,
});
const token = (id: string, member: string): DirectoryEvent => ({
  type: 'tokenIssued',
  version: 2,
  scope: UNCONFINED,
  token: id,
  member,
  hash: `hash of ${id}`,
  expires: null,
});
const role = (project: string, member: string, granted: 'OWNER' | 'ANNOTATOR'): DirectoryEvent => ({
  type: 'roleGranted',
  project,
  member,
  role: granted,
  by: 'ada',
});

function directory(...events: readonly DirectoryEvent[]): Directory {
  const made = new Directory();
  events.forEach((event, i) => {
    made.fold(event, i + 1, 1_000 + i);
  });
  return made;
}

const SOURCE = directory(
  person('ada', true),
  token('a1', 'ada'),
  person('bob'),
  token('b1', 'bob'),
  token('b2', 'bob'),
  { type: 'tokenRevoked', token: 'b2' },
  person('eve'),
  token('e1', 'eve'),
  { type: 'projectAdded', project: 'p', name: 'Project', by: 'ada' },
  { type: 'projectAdded', project: 'q', name: 'Another', by: 'ada' },
  role('p', 'bob', 'ANNOTATOR'),
  role('q', 'eve', 'OWNER'),
);

/** What is entered, as the service does it: each event is folded before the next. */
function adopt(target: Directory, project: string): DirectoryEvent[] {
  const events: DirectoryEvent[] = [];
  for (const event of adoptProject(target, SOURCE, project)) {
    events.push(event);
    target.fold(event, target.seq + 1, 9_000);
  }
  return events;
}

describe('a project from another directory', () => {
  it('comes with who is in it, their roles and their tokens', () => {
    const target = directory(person('owner', true));
    adopt(target, 'p');
    expect(target.projects.get('p')).toMatchObject({ id: 'p', name: 'Project' });
    expect(target.role('p', 'ada')).toBe('OWNER');
    expect(target.role('p', 'bob')).toBe('ANNOTATOR');
    expect(target.token('hash of b1', 9_000)).toMatchObject({ id: 'b1', member: 'bob' });
    expect(target.token('hash of b2', 9_000)).toBeUndefined();
    expect([...target.members.keys()]).toEqual(['owner', 'ada', 'bob']);
  });

  it('gives nobody the whole service', () => {
    const target = directory(person('owner', true), {
      type: 'projectAdded',
      project: 'own',
      name: 'Own',
      by: 'owner',
    });
    adopt(target, 'p');
    expect(target.members.get('ada')?.serviceOwner).toBe(false);
    expect(target.role('own', 'ada')).toBeUndefined();
    expect(target.role('p', 'owner')).toBe('OWNER');
  });

  it('changes nobody who is here already', () => {
    const target = directory(person('bob'), token('b9', 'bob'));
    expect(adopt(target, 'p')).not.toContainEqual(person('bob'));
    expect(target.tokensOf('bob').map(({ id }) => id)).toEqual(['b9']);
    expect(target.role('p', 'bob')).toBe('ANNOTATOR');
  });

  it('is entered once', () => {
    const target = directory();
    adopt(target, 'p');
    expect(adopt(target, 'p')).toEqual([]);
    expect(adopt(target, 'q').filter(({ type }) => type === 'memberAdded')).toEqual([person('eve')]);
    expect(adopt(target, 'none')).toEqual([]);
  });
});
