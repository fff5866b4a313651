import { beforeEach, describe, expect, it } from 'vitest';
import {
  Directory,
  type DirectoryEvent,
  type Scope,
  SIGN_ON,
  UNCONFINED,
} from '../../src/domain/directory.ts';
import {
  type DirectoryCommand,
  type DirectoryCommands,
  decideDirectory,
  type NewToken,
} from '../../src/domain/directoryCommands.ts';

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
  return { token, member, hash: `hash of ${token}`, expires, scope: UNCONFINED };
};

const addMember = (member: string, role: 'OWNER' | 'DRIVER' | 'ANNOTATOR' | 'VIEWER') =>
  when('addMember', { project: 'p', kind: 'PERSON', role, by: 'root', token: token(member) });

describe('the owner of the service', () => {
  it('is admitted once, and is an owner of every project', () => {
    when('admitServiceOwner', token('root'));
    expect(when('admitServiceOwner', token('other id', 'token of root'))).toEqual({
      events: [],
      result: { id: 'root', kind: 'PERSON', serviceOwner: true, addedAt: 1_000, erased: null },
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
    expect(result).toEqual({ id: 'ann', kind: 'PERSON', serviceOwner: false, addedAt: 1_000, erased: null });
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

describe('what a token is confined to', () => {
  beforeEach(() => {
    when('admitServiceOwner', token('root'));
    when('addProject', { project: 'p', name: 'Mail', by: 'root' });
    when('addProject', { project: 'q', name: 'Images', by: 'root' });
    addMember('ann', 'DRIVER');
    when('grantRole', { project: 'q', member: 'ann', role: 'OWNER', by: 'root' });
  });

  const roles = (scope: Scope) =>
    ['p', 'q', 'no'].map((project) => directory.roleWith({ member: 'ann', scope }, project));

  it('is a project, or the most that it may do, or both; it never gives more than its member has', () => {
    expect(roles(UNCONFINED)).toEqual(['DRIVER', 'OWNER', undefined]);
    expect(roles({ project: 'p', role: null })).toEqual(['DRIVER', undefined, undefined]);
    expect(roles({ project: null, role: 'ANNOTATOR' })).toEqual(['ANNOTATOR', 'ANNOTATOR', undefined]);
    expect(roles({ project: 'p', role: 'OWNER' })).toEqual(['DRIVER', undefined, undefined]);
    expect(roles({ project: 'q', role: 'VIEWER' })).toEqual([undefined, 'VIEWER', undefined]);
  });
});

describe('a token that is rotated', () => {
  beforeEach(() => {
    when('admitServiceOwner', token('root'));
    when('issueToken', token('root', 'old', 9_000));
  });

  it('stays good for the overlap, and not for longer than it was', () => {
    when('rotateToken', { old: 'old', oldExpires: 5_000, token: token('root', 'new', 9_000) });
    expect(directory.isLive('old', 4_999)).toBe(true);
    expect(directory.isLive('old', 5_000)).toBe(false);
    expect(directory.token('hash of old', 5_000)).toBeUndefined();
    expect(directory.token('hash of new', 5_000)?.id).toBe('new');
    expect([directory.hasTokenEnded(4_999, 5_000), directory.hasTokenEnded(5_000, 8_999)]).toEqual([
      true,
      false,
    ]);
    const again = when('rotateToken', { old: 'old', oldExpires: 8_000, token: token('root', 'third') });
    expect(again.events.map(({ type }) => type)).toEqual(['tokenIssued']);
  });

  it('is one that there is', () => {
    for (const [command, input] of [
      ['rotateToken', { old: 'no', oldExpires: 1, token: token('root', 'new') }],
      ['expireToken', { token: 'no', expires: 1 }],
    ] as const) {
      expect(() => when(command, input)).toThrow(refused('NOT_FOUND', { what: 'token' }));
    }
  });
});

describe('an invitation', () => {
  const invitation = {
    invitation: 'i',
    project: 'p',
    role: 'ANNOTATOR',
    hash: 'hash of the code',
    expires: 5_000,
    tokenLasts: 100,
    label: 'for Ann',
    by: 'root',
  } as const;
  const accept = (at: number, hash: string = invitation.hash) =>
    when('acceptInvitation', { hash, now: at, token: token(`ann-${at}`) });

  beforeEach(() => {
    when('admitServiceOwner', token('root'));
    when('addProject', { project: 'p', name: 'Mail', by: 'root' });
    when('invite', invitation);
  });

  it('lets one person in, once, with a token that lasts from then on', () => {
    const { result } = accept(4_999);
    expect(result).toMatchObject({ member: 'ann-4999', expires: 5_099 });
    expect(directory.role('p', 'ann-4999')).toBe('ANNOTATOR');
    // Asked again because the answer was lost, it is the same token; asked by another, it is closed.
    expect(accept(4_999).events).toEqual([]);
    expect(() => accept(4_998)).toThrow(refused('INVITATION_CLOSED', { invitationState: 'ACCEPTED' }));
    expect(() => when('withdrawInvitation', { invitation: 'i' })).toThrow(refused('INVITATION_CLOSED'));
  });

  it('runs out, and can be taken back', () => {
    expect(() => accept(5_000)).toThrow(refused('INVITATION_CLOSED', { invitationState: 'EXPIRED' }));
    when('withdrawInvitation', { invitation: 'i' });
    expect(() => accept(1)).toThrow(refused('INVITATION_CLOSED', { invitationState: 'WITHDRAWN' }));
    expect(when('withdrawInvitation', { invitation: 'i' }).events).toEqual([]);
    expect(directory.members.size).toBe(1);
  });

  it('is found by its code alone', () => {
    expect(() => accept(1, 'hash of another')).toThrow(refused('NOT_FOUND', { what: 'invitation' }));
    expect(() => accept(1, 'i')).toThrow(refused('NOT_FOUND'));
  });
});

describe('a sign-on', () => {
  const HASH = `${SIGN_ON}ann`;
  const enter = (role: 'DRIVER' | 'ANNOTATOR' | null, member = 'ann') =>
    when('signOn', { token: { ...token(member), hash: HASH }, roles: [{ project: 'p', role }] });
  beforeEach(() => {
    when('addProject', { project: 'p', name: 'Mail', by: 'root' });
  });

  it('enters whoever has a role, once, and gives the role that their groups have now', () => {
    expect(enter(null)).toEqual({ events: [], result: null });
    expect(enter('ANNOTATOR').events.map(({ type }) => type)).toEqual([
      'memberAdded',
      'tokenIssued',
      'roleGranted',
    ]);
    expect(enter('ANNOTATOR', 'somebody else')).toMatchObject({ events: [], result: { id: 'ann' } });
    enter('DRIVER', 'somebody else');
    expect(directory.role('p', 'ann')).toBe('DRIVER');
    enter(null);
    expect(directory.role('p', 'ann')).toBeUndefined();
  });

  it('makes nobody an owner, and takes it from nobody', () => {
    enter('ANNOTATOR');
    when('grantRole', { project: 'p', member: 'ann', role: 'OWNER', by: 'root' });
    expect(enter(null).events).toEqual([]);
    expect(directory.role('p', 'ann')).toBe('OWNER');
  });

  it('is nobody else once it was revoked, and somebody new once they were erased', () => {
    enter('ANNOTATOR');
    when('revokeTokens', { member: 'ann' });
    expect(enter('ANNOTATOR', 'other')).toMatchObject({ events: [], result: { id: 'ann' } });
    expect(directory.token(HASH, now)).toBeUndefined();
    when('eraseMember', { member: 'ann', reason: 'OBJECTION', by: 'root' });
    expect(enter('ANNOTATOR', 'other').result).toMatchObject({ id: 'other', erased: null });
    expect(directory.token(HASH, now)?.member).toBe('other');
  });
});
