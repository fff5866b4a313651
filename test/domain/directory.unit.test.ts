import { beforeEach, describe, expect, it } from 'vitest';
import {
  Directory,
  type DirectoryCommand,
  type DirectoryCommands,
  type DirectoryEvent,
  decideDirectory,
  type NewToken,
} from '../../src/domain/directory.ts';

let directory: Directory;
let now: number;

beforeEach(() => {
  directory = new Directory();
  now = 1_000;
});

/** Decides, folding each event before the next is asked for; the events and the result. */
function when<C extends DirectoryCommand>(command: C, input: DirectoryCommands[C]['input']) {
  const events: DirectoryEvent[] = [];
  const decision = decideDirectory(directory, command, input);
  for (let step = decision.next(); ; step = decision.next()) {
    if (step.done) return { events, result: step.value };
    events.push(step.value);
    directory.fold(step.value, directory.seq + 1, now);
  }
}

function refused(code: string, details: object = {}) {
  return expect.objectContaining({ code, details: expect.objectContaining(details) });
}

const token = (member: string, token = `token of ${member}`, expires: number | null = null): NewToken => {
  return { token, member, hash: `hash of ${token}`, expires };
};

const addMember = (member: string, role: 'OWNER' | 'DRIVER' | 'ANNOTATOR' | 'VIEWER') =>
  when('addMember', { project: 'p', kind: 'PERSON', role, by: 'root', token: token(member) });

describe('the owner of the service', () => {
  it('is admitted once, and is an owner of every project', () => {
    when('admitServiceOwner', token('root'));
    expect(when('admitServiceOwner', token('other id', 'token of root'))).toEqual({
      events: [],
      result: { id: 'root', kind: 'PERSON', serviceOwner: true, addedAt: 1_000 },
    });
    when('addProject', { project: 'p', name: 'Mail', by: 'somebody' });
    expect(directory.role('p', 'root')).toBe('OWNER');
    expect(directory.role('no such project', 'root')).toBeUndefined();
  });

  it('gets a further token for a new secret', () => {
    when('admitServiceOwner', token('root'));
    const { events } = when('admitServiceOwner', token('other id', 'new'));
    expect(events).toMatchObject([{ type: 'tokenIssued', member: 'root', token: 'new' }]);
    expect(directory.token('hash of new', now)?.member).toBe('root');
    expect(directory.token('hash of token of root', now)?.member).toBe('root');
  });
});

describe('projects', () => {
  it('belong to who makes them, and are made once', () => {
    const { result } = when('addProject', { project: 'p', name: 'Mail', by: 'ann' });
    expect(result).toMatchObject({ id: 'p', name: 'Mail', createdAt: 1_000 });
    expect(directory.role('p', 'ann')).toBe('OWNER');
    expect(when('addProject', { project: 'p', name: 'Other', by: 'bob' })).toEqual({ events: [], result });
  });

  it('have a name', () => {
    for (const name of ['', '  ', 'x'.repeat(201)]) {
      expect(() => when('addProject', { project: 'p', name, by: 'ann' })).toThrow(
        refused('INVALID_INPUT', { field: 'name' }),
      );
    }
  });
});

describe('members', () => {
  beforeEach(() => {
    when('admitServiceOwner', token('root'));
    when('addProject', { project: 'p', name: 'Mail', by: 'root' });
    when('addProject', { project: 'q', name: 'Images', by: 'root' });
  });

  it('have a role in the project they were added to, and in no other', () => {
    const { events, result } = addMember('ann', 'ANNOTATOR');
    expect(events.map(({ type }) => type)).toEqual(['memberAdded', 'tokenIssued', 'roleGranted']);
    expect(result).toEqual({ id: 'ann', kind: 'PERSON', serviceOwner: false, addedAt: 1_000 });
    expect(directory.role('p', 'ann')).toBe('ANNOTATOR');
    expect(directory.role('q', 'ann')).toBeUndefined();
    expect(directory.role('p', 'nobody')).toBeUndefined();
  });

  it('are not added to a project that is not there', () => {
    const input = { project: 'no', kind: 'TOOL', role: 'DRIVER', by: 'root', token: token('t') } as const;
    expect(() => when('addMember', input)).toThrow(refused('NOT_FOUND', { what: 'project' }));
    expect(directory.members.has('t')).toBe(false);
  });

  it('get another role, or none', () => {
    addMember('ann', 'ANNOTATOR');
    const grant = (role: 'DRIVER' | null) =>
      when('grantRole', { project: 'p', member: 'ann', role, by: 'root' });
    expect(grant('DRIVER').events).toMatchObject([{ type: 'roleGranted', role: 'DRIVER' }]);
    expect(grant('DRIVER').events).toEqual([]);
    expect(directory.role('p', 'ann')).toBe('DRIVER');
    grant(null);
    expect(directory.role('p', 'ann')).toBeUndefined();
    expect(grant(null).events).toEqual([]);
  });

  it('who are the last owner stay so, until there is another', () => {
    addMember('ann', 'OWNER');
    const grant = (member: string, role: 'VIEWER' | null) =>
      when('grantRole', { project: 'p', member, role, by: 'root' });
    grant('root', null);
    for (const role of ['VIEWER', null] as const) {
      expect(() => grant('ann', role)).toThrow(refused('INVALID_INPUT', { field: 'role' }));
    }
    addMember('bob', 'OWNER');
    grant('ann', 'VIEWER');
    expect(directory.role('p', 'ann')).toBe('VIEWER');
  });

  it('get no role where they or the project are not there', () => {
    for (const [project, member] of [
      ['no', 'root'],
      ['p', 'nobody'],
    ] as const) {
      expect(() => when('grantRole', { project, member, role: 'VIEWER', by: 'root' })).toThrow(
        refused('NOT_FOUND'),
      );
    }
  });
});

describe('tokens', () => {
  beforeEach(() => {
    when('admitServiceOwner', token('root'));
  });

  it('stand for their member until they run out', () => {
    when('issueToken', token('root', 't', 2_000));
    expect(directory.token('hash of t', 1_999)).toMatchObject({ id: 't', member: 'root', issuedAt: 1_000 });
    expect(directory.isLive('t', 1_999)).toBe(true);
    expect(directory.token('hash of t', 2_000)).toBeUndefined();
    expect(directory.isLive('t', 2_000)).toBe(false);
    expect(directory.token('hash of nothing', 0)).toBeUndefined();
  });

  it('of a member end together, and no others', () => {
    when('addProject', { project: 'p', name: 'Mail', by: 'root' });
    addMember('ann', 'VIEWER');
    when('issueToken', token('ann', 't', 2_000));
    const { events, result } = when('revokeTokens', { member: 'ann' });
    expect(events).toMatchObject([
      { type: 'tokenRevoked', token: 'token of ann' },
      { type: 'tokenRevoked', token: 't' },
    ]);
    expect(result).toBe(2);
    expect(directory.token('hash of t', now)).toBeUndefined();
    expect(directory.isLive('t', now)).toBe(false);
    expect(directory.tokenById('t')).toBeUndefined();
    expect(directory.isLive('token of root', now)).toBe(true);
    expect(when('revokeTokens', { member: 'ann' })).toEqual({ events: [], result: 0 });
  });

  it('are issued to members alone', () => {
    expect(() => when('issueToken', token('nobody'))).toThrow(refused('NOT_FOUND', { what: 'member' }));
  });
});
