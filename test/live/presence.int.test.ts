import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { RawSocket } from '../http/rawSocket.ts';
import { until } from '../http/waiting.ts';
import {
  addMember,
  claim,
  createProject,
  importSamples,
  openRound,
  type Person,
  submit,
} from '../support/project.ts';
import { type Service, startService } from '../support/service.ts';

const PRESENCE = `subscription ($project: ID!) { presence(project: $project) {
  connected active people { member { id name } state since } } }`;
const QUEUE = 'subscription ($project: ID!) { queue(project: $project) { answers } }';

interface Presence {
  readonly connected: number;
  readonly active: number;
  readonly people: readonly { readonly member: { readonly id: string; readonly name: string } }[] | null;
}

describe('presence over WebSocket', () => {
  let service: Service;
  let project: string;
  let anna: Person;
  let ben: Person;
  let viewer: Person;
  const opened: RawSocket[] = [];

  beforeAll(async () => {
    service = await startService();
    project = await createProject(service, { policy: { graceSeconds: 0, withoutRound: 'POOL' } });
    await importSamples(service, project, [
      { key: '1', data: 1 },
      { key: '2', data: 2 },
    ]);
    await openRound(service, project, { size: 2, strategy: 'random' });
    anna = await addMember(service, project, 'ANNOTATOR', { name: 'Anna' });
    ben = await addMember(service, project, 'ANNOTATOR', { name: 'Ben' });
    viewer = await addMember(service, project, 'VIEWER');
  });
  afterAll(() => service.close());
  afterEach(async () => {
    for (const socket of opened.splice(0)) await socket.close();
    await until('nobody follows anything', () => service.concord.hub.size === 0);
  });

  async function following(token: string, query = PRESENCE) {
    const socket = await RawSocket.connect(service.url, token);
    opened.push(socket);
    socket.subscribe('1', query, { project });
    return socket;
  }
  /** Reads on until the state is as it should be. */
  async function sees(socket: RawSocket, is: (presence: Presence) => boolean): Promise<Presence> {
    for (;;) {
      const { payload } = await socket.hear('next');
      const { presence } = (payload as { data: { presence: Presence } }).data;
      if (is(presence)) return presence;
    }
  }

  it('tells owners who comes and goes', async () => {
    const owner = await following(service.ownerToken);
    expect(await sees(owner, () => true)).toEqual({ connected: 0, active: 0, people: [] });
    const at = await following(anna.token, QUEUE);
    await following(ben.token, QUEUE);
    const { people } = await sees(owner, ({ connected }) => connected === 2);
    expect(people?.map(({ member: { name } }) => name)).toEqual(['Anna', 'Ben']);
    await at.close();
    const left = await sees(owner, (presence) => presence.people?.length === 1);
    expect(left.people?.[0]?.member.id).toBe(ben.id);
  });

  it('tells annotators and viewers how many there are, and not who', async () => {
    await following(ben.token, QUEUE);
    for (const { token } of [anna, viewer]) {
      const presence = await sees(await following(token), ({ connected }) => connected === 1);
      expect(presence).toEqual({ connected: 1, active: 1, people: null });
    }
  });

  it('says nothing of what somebody answers', async () => {
    const owner = await following(service.ownerToken);
    await following(anna.token, QUEUE);
    await sees(owner, ({ connected }) => connected === 1);
    const [assignment] = (await claim(service, anna, project)).assignments;
    await submit(service, anna, assignment?.id ?? '', 'spam');
    // What is pushed next is that another has come.
    await following(ben.token, QUEUE);
    expect(await sees(owner, () => true)).toMatchObject({ connected: 2, active: 2 });
  });
});
