import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClient } from 'graphql-ws';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { freePort } from '../../bench/scale/freePort.ts';
import { overEvents } from '../support/streams.ts';
import { ServiceProcess } from './serviceProcess.ts';
import { until } from './waiting.ts';

const OWNER = 'owner-of-the-service'.padEnd(40, '0');
const PROGRESS = 'subscription ($project: ID!) { progress(project: $project) { seq answers } }';

type Row = Record<string, unknown>;

describe('a service that is started again', () => {
  let folder: string;
  let port: number;
  let service: ServiceProcess;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'concord-restart-'));
    port = await freePort();
    service = await start();
  });
  afterEach(async () => {
    await service.kill();
    await rm(folder, { recursive: true });
  });

  const start = () =>
    ServiceProcess.ready({
      args: ['--store', folder, '--port', String(port)],
      env: { CONCORD_OWNER_TOKEN: OWNER },
    });

  async function ask<T = Row>(token: string, query: string, variables: object = {}): Promise<T> {
    const response = await fetch(`${service.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
      body: JSON.stringify({ query, variables }),
    });
    const { data, errors } = (await response.json()) as { data?: T; errors?: unknown };
    if (!data || errors) throw new Error(JSON.stringify(errors));
    return data;
  }

  async function do_<T = Row>(token: string, name: string, input: object, selection: string): Promise<T> {
    const type = `${name.charAt(0).toUpperCase()}${name.slice(1)}Input`;
    const query = `mutation ($input: ${type}!) { it: ${name}(input: $input) { __typename ${selection} ... on Error { code message } } }`;
    const { it } = await ask<{ it: T & { code?: string; message?: string } }>(token, query, { input });
    if (it.code) throw new Error(`${it.code} ${it.message}`);
    return it;
  }

  /** A project with samples, an open round and some annotators. */
  async function project(samples: number, people: number) {
    const given = { name: 'Restarted', labels: ['spam', 'ham'], seed: 1 };
    const { id } = await do_<{ id: string }>(OWNER, 'createProject', given, '... on Project { id }');
    const part = Array.from({ length: samples }, (_, i) => ({ key: `${i}`, data: i }));
    const imported = { project: id, importId: 'i', part: 0, samples: part };
    await do_(OWNER, 'importSamples', imported, '... on ImportedPart { count }');
    await do_(OWNER, 'openRound', { project: id, size: samples, strategy: 'random' }, '... on Round { id }');
    const tokens = await Promise.all(
      Array.from({ length: people }, async (_, i) => {
        const member = { project: id, name: `${i}`, role: 'ANNOTATOR' };
        return (await do_<{ token: string }>(OWNER, 'addMember', member, '... on NewToken { token }')).token;
      }),
    );
    return { id, tokens };
  }

  interface Held {
    readonly assignments: readonly { readonly id: string }[];
  }

  const HELD = 'assignments { id }';

  it('has all that was acknowledged, also after it was killed in the middle of work', async () => {
    const { id, tokens } = await project(1_200, 8);
    const acknowledged = new Map<string, string>();
    const work = async (token: string, who: number) => {
      const input = { project: id, hold: 5 };
      let held = (await do_<Held>(token, 'claim', input, `... on Queue { ${HELD} }`)).assignments;
      while (held.length > 0) {
        const [assignment] = held;
        const answer = { assignment: assignment?.id, label: who % 2 ? 'spam' : 'ham', hold: 5 };
        const { queue } = await do_<{ queue: Held }>(
          token,
          'submit',
          answer,
          `... on Submission { queue { ${HELD} } }`,
        );
        acknowledged.set(String(assignment?.id), token);
        held = queue.assignments;
      }
    };
    const working = Promise.allSettled(tokens.map(work));
    await until('there is something to lose', () => acknowledged.size > 300);
    service.child.kill('SIGKILL');
    await working;
    await service.exited;
    const before = new Map(acknowledged);
    service = await start();

    const { node } = await ask<{ node: { progress: { answers: number } } }>(
      OWNER,
      'query ($id: ID!) { node(id: $id) { ... on Project { progress { answers } } } }',
      { id },
    );
    // What was synced and not yet acknowledged may be there too: at most one answer a person.
    expect(node.progress.answers).toBeGreaterThanOrEqual(before.size);
    expect(node.progress.answers).toBeLessThanOrEqual(before.size + tokens.length);
    for (const [assignment, token] of before) {
      const label = tokens.indexOf(token) % 2 ? 'spam' : 'ham';
      const again = await do_<{ assignment: { state: string; label: string } }>(
        token,
        'submit',
        { assignment, label },
        '... on Submission { assignment { state label } }',
      );
      expect(again.assignment).toEqual({ state: 'SUBMITTED', label });
    }
    // And everybody goes on where they were.
    await Promise.all(tokens.map(work));
    expect(acknowledged.size).toBeGreaterThan(before.size);
  });

  it('gets its WebSocket clients back, who miss nothing', async () => {
    const { id, tokens } = await project(10, 1);
    const [token = ''] = tokens;
    const codes: number[] = [];
    const client = createClient({
      url: `${service.url.replace('http', 'ws')}/graphql`,
      webSocketImpl: WebSocket,
      connectionParams: { authorization: `Bearer ${OWNER}` },
      retryAttempts: 1_000,
      retryWait: () => new Promise((resolve) => setTimeout(resolve, 20)),
      shouldRetry: () => true,
      on: { closed: (event) => codes.push((event as { code: number }).code) },
    });
    const states = client.iterate<{ progress: { answers: number } }>({
      query: PROGRESS,
      variables: { project: id },
    });
    await states.next();
    expect(await service.end()).toMatchObject({ code: 0 });
    service = await start();
    const { assignments } = await do_<Held>(
      token,
      'claim',
      { project: id, hold: 1 },
      `... on Queue { ${HELD} }`,
    );
    const answer = { assignment: assignments[0]?.id, label: 'spam' };
    await do_(token, 'submit', answer, '... on Submission { assignment { id } }');
    let answers = 0;
    while (answers === 0) answers = (await states.next()).value.data.progress.answers;
    expect(answers).toBe(1);
    expect(codes[0]).toBe(1012);
    await client.dispose();
  });

  it('breaks event streams off instead of completing them', async () => {
    const { id } = await project(1, 0);
    const events = overEvents(service, OWNER, PROGRESS, { project: id });
    expect(await events.next()).toMatchObject({ data: { progress: { answers: 0 } } });
    await service.end();
    await expect(events.next()).rejects.toThrow();
  });
});
