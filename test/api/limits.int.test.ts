import { readFile } from 'node:fs/promises';
import { getIntrospectionQuery, Lexer, parse, Source, TokenKind } from 'graphql';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Cost, Costs, unboundedLists, unknownFields } from '../../src/graphql/costs.ts';
import { MAX_COST, MAX_DEPTH, MAX_REPEATS, MAX_TOKENS } from '../../src/graphql/limits.ts';
import { schema } from '../../src/graphql/schema.ts';
import { addMember, claim, createProject, importSamples, type Person } from '../support/project.ts';
import { type Reply, type Service, startService, type Variables } from '../support/service.ts';
import { overEvents, overWebSocket } from '../support/streams.ts';

const INTROSPECTION = getIntrospectionQuery({
  descriptions: true,
  specifiedByUrl: true,
  directiveIsRepeatable: true,
  schemaDescription: true,
  inputValueDeprecation: true,
  oneOf: true,
});
const many = (count: number, text: (i: number) => string) =>
  Array.from({ length: count }, (_, i) => text(i)).join(' ');
const costs = new Costs(schema);
const costOf = (text: string, variables: Variables = {}): Cost => costs.of(parse(text), null, variables);

describe('what an operation costs', () => {
  it('is far below the limits for everything that the SDK does, by the largest pages', async () => {
    const generated = new URL('../../sdk/src/client/generated/operations.ts', import.meta.url);
    const documents = [...(await readFile(generated, 'utf8')).matchAll(/document: `([^`]*)`/g)];
    const table = documents.map(([, text = '']) => {
      const [name = ''] = /\w+ \w+/.exec(text) ?? [];
      const ids = Array.from({ length: 100 }, () => 'id');
      const { cost, depth } = costOf(text, { first: 1_000, ids });
      return { name, usual: costOf(text).cost, cost, depth, tokens: tokensOf(text) };
    });
    console.table(table);
    expect(table.length).toBeGreaterThan(35);
    for (const { name, cost, depth, tokens } of table) {
      expect(cost, name).toBeLessThan(MAX_COST / 2.4);
      expect(depth, name).toBeLessThanOrEqual(MAX_DEPTH / 2);
      expect(tokens, name).toBeLessThan(MAX_TOKENS / 7);
    }
  });

  it('is far below them for the introspection of tools, and about as much as that answers', () => {
    const { cost, depth } = costOf(INTROSPECTION);
    expect(cost).toBeLessThan(MAX_COST / 4.5);
    expect(cost).toBeGreaterThan(5_000);
    expect(depth).toBeLessThan(MAX_DEPTH);
    expect(tokensOf(INTROSPECTION)).toBeLessThan(MAX_TOKENS / 10);
  });

  it('is known of every list', () => {
    expect(unboundedLists(schema)).toEqual([]);
  });

  it('is said of no field that there is not', () => {
    expect(unknownFields(schema)).toEqual([]);
  });

  const projects = (size: string, variables = '') =>
    `query ${variables} { projects${size} { edges { node { id } } } }`;
  it.each([
    ['by default', projects(''), {}, 50],
    ['by `first`', projects('(first: 7)'), {}, 7],
    ['by `last`', projects('(last: 7)'), {}, 7],
    ['by the larger of both', projects('(first: 7, last: 9)'), {}, 9],
    ['by a variable', projects('(first: $n)', '($n: Int)'), { n: 7 }, 7],
    ['by its default', projects('(first: $n)', '($n: Int = 8)'), {}, 8],
    ['by default, where it is not given', projects('(first: $n)', '($n: Int)'), {}, 50],
    ['by the largest page, where it will be refused', projects('(first: $n)', '($n: Int)'), { n: 1e9 }, 500],
    ['by the largest page, where it is no size', projects('(first: $n)', '($n: Int)'), { n: 'x' }, 500],
    ['by the largest page, where it is negative', projects('(first: -1)'), {}, 500],
  ])('grows with a page: %s', (_, text, variables, size) => {
    // The connection's own, its edges, and three for each: itself, its node, and the id.
    expect(costOf(text, variables).cost).toBe(100 + 1 + 3 * size);
  });

  it('grows with the ids of `nodes`', () => {
    const nodes = 'query ($ids: [ID!]!) { nodes(ids: $ids) { id } }';
    expect(costOf(nodes, { ids: ['a', 'b', 'c'] }).cost).toBe(1 + 3 * 2);
    expect(costOf('{ nodes(ids: ["a", "b"]) { id } }').cost).toBe(1 + 2 * 2);
  });

  it('is counted in a moment for fragments that multiply', () => {
    const bomb = `query { ...f0 } ${many(60, (i) => `fragment f${i} on Query { a${i}: viewer { id } ...f${i + 1} ...f${i + 1} }`)} fragment f60 on Query { viewer { id } }`;
    const since = performance.now();
    expect(costOf(bomb).cost).toBeGreaterThan(1e15);
    expect(performance.now() - since).toBeLessThan(200);
  });
});

describe('what is too much', () => {
  let service: Service;
  let project: string;
  let anna: Person;

  beforeAll(async () => {
    service = await startService();
    project = await createProject(service, { policy: { withoutRound: 'POOL' } });
    const samples = Array.from({ length: 40 }, (_, i) => ({ key: `${i}`, data: 'x'.repeat(600_000) }));
    for (const [part, sample] of samples.entries()) {
      await importSamples(service, project, [sample], { part });
    }
    anna = await addMember(service, project, 'ANNOTATOR', { name: 'Anna' });
    await claim(service, anna, project, 5);
  });
  afterAll(async () => {
    // The client's doing, never a fault of ours.
    expect(service.log.filter(({ level }) => level >= 50)).toEqual([]);
    await service.close();
  });

  const queues = (count: number) =>
    `query ($id: ID!) { project(id: $id) { ${many(count, (i) => `m${i}: queue { assignments { data } }`)} } }`;
  const cases: readonly (readonly [string, string, object])[] = [
    [
      'OPERATION_TOO_LARGE',
      `{ ${many(1_400, (i) => `f${i}: __typename`)} }`,
      { what: 'tokens', limit: MAX_TOKENS },
    ],
    ['OPERATION_TOO_LARGE', `{ ${'viewer { id } '.repeat(MAX_REPEATS + 1)} }`, { limit: MAX_REPEATS }],
    ['OPERATION_TOO_LARGE', `{ ${'...f '.repeat(MAX_REPEATS + 1)} } fragment f on Query { __typename }`, {}],
    [
      'QUERY_TOO_DEEP',
      `{ __schema { types { ${'ofType { '.repeat(20)} name ${'}'.repeat(20)} } } }`,
      { depth: 23, limit: MAX_DEPTH },
    ],
    ['QUERY_TOO_DEEP', `{ ${'a { '.repeat(100)} b ${'}'.repeat(100)} }`, { limit: MAX_DEPTH }],
    ['QUERY_TOO_COSTLY', queues(100), { limit: MAX_COST, cost: expect.any(Number) }],
    ['QUERY_TOO_COSTLY', `{ ${many(2, (i) => `s${i}: __schema { queryType { name } }`)} }`, {}],
    [
      'QUERY_TOO_COSTLY',
      `{ __schema { types { ${many(100, (i) => `f${i}: fields { a${i}: name type { b${i}: name ofType { c${i}: name } } }`)} } } }`,
      {},
    ],
  ];

  describe.each(cases)('%s: %.60s', (code, document, details) => {
    const refused = { errors: [{ extensions: { code, ...details } }] };
    const variables = () => ({ id: project });

    it('is refused over HTTP, whoever asks', async () => {
      for (const token of [anna.token, null]) {
        const reply = await service.ask(token, document, variables());
        expect(reply).toMatchObject(refused);
        expect(reply.data).toBeUndefined();
      }
    });

    it('with the status that GraphQL over HTTP wants', async () => {
      const answer = await fetch(`${service.url}/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', accept: 'application/graphql-response+json' },
        body: JSON.stringify({ query: document, variables: variables() }),
      });
      expect(answer.status).toBe(400);
      expect(await answer.json()).toMatchObject(refused);
    });

    it('over WebSocket', async () => {
      const reader = overWebSocket(service, anna.token, document, variables());
      expect(await reader.next()).toMatchObject(refused);
      await reader.close();
    });
  });

  it('is refused when it is nested without end', async () => {
    const code = expect.stringMatching(/^(OPERATION_TOO_LARGE|QUERY_TOO_DEEP)$/);
    const refused = { errors: [{ extensions: { code } }] };
    const endless = [
      `{${'a{'.repeat(20_000)}b${'}'.repeat(20_001)}`,
      `{ viewer(a: ${'['.repeat(20_000)}${']'.repeat(20_000)}) }`,
    ];
    for (const document of endless) {
      for (const token of [anna.token, null])
        expect(await service.ask(token, document)).toMatchObject(refused);
      const reader = overWebSocket(service, anna.token, document);
      expect(await reader.next()).toMatchObject(refused);
      await reader.close();
    }
  });

  it('is refused to subscriptions, over WebSocket and as events', async () => {
    const document = `subscription ($id: ID!) { queue(project: $id) { ${many(100, (i) => `m${i}: assignments { data id }`)} } }`;
    for (const open of [overWebSocket, overEvents]) {
      const reader = open(service, anna.token, document, { id: project });
      expect(await reader.next()).toMatchObject({ errors: [{ extensions: { code: 'QUERY_TOO_COSTLY' } }] });
      await reader.close();
    }
  });

  const ANSWER_TOO_LARGE = { extensions: { code: 'ANSWER_TOO_LARGE', limit: expect.any(Number) } };

  it('of payloads is refused where it is asked, and what else was asked is answered', async () => {
    const document = `query ($id: ID!) { project(id: $id) { name ${many(20, (i) => `m${i}: queue { assignments { data } }`)} } }`;
    const answers: Pick<Reply, 'data' | 'errors'>[] = [
      await service.ask(anna.token, document, { id: project }),
    ];
    const reader = overWebSocket(service, anna.token, document, { id: project });
    const push = await reader.next();
    if (push) answers.push(push);
    await reader.close();
    expect(answers).toHaveLength(2);
    for (const { data, errors } of answers) {
      expect(errors?.[0]).toMatchObject(ANSWER_TOO_LARGE);
      expect(data).toMatchObject({ project: { name: expect.any(String) } });
    }
  });

  it('of payloads is refused in pages too; a smaller one is answered', async () => {
    const document =
      'query ($id: ID!, $n: Int!) { project(id: $id) { samples(first: $n) { edges { node { data } } } } }';
    const reply = await service.ask(service.ownerToken, document, { id: project, n: 40 });
    expect(reply.errors[0]).toMatchObject(ANSWER_TOO_LARGE);
    await service.query(service.ownerToken, document, { id: project, n: 20 });
  });

  it('in one push does not count for the next', async () => {
    const document = 'subscription ($id: ID!) { queue(project: $id) { assignments { data } } }';
    const reader = overWebSocket(service, anna.token, document, { id: project });
    expect((await reader.next())?.errors ?? []).toEqual([]);
    for (let hold = 6; hold <= 10; hold++) {
      await claim(service, anna, project, hold);
      expect((await reader.next())?.errors ?? []).toEqual([]);
    }
    await reader.close();
  });

  it('leaves nothing behind: the next may ask as much', async () => {
    const document =
      'query ($id: ID!) { project(id: $id) { samples(first: 20) { edges { node { data } } } } }';
    for (let i = 0; i < 12; i++) await service.query(service.ownerToken, document, { id: project });
  });

  it.each(['', '?', '?query'])('but nothing at all, by GET %s, is a bad request', async (query) => {
    for (const accept of ['*/*', 'application/json', 'application/graphql-response+json']) {
      const answer = await fetch(`${service.url}/graphql${query}`, { headers: { accept } });
      expect(answer.status).toBe(400);
      expect(answer.headers.get('content-type')).toContain('json');
    }
  });

  it('and the introspection of tools is answered to everybody', async () => {
    const reply = await service.ask(null, INTROSPECTION);
    expect(reply.errors).toEqual([]);
    expect(reply.data).toHaveProperty('__schema');
  });
});

function tokensOf(text: string): number {
  const lexer = new Lexer(new Source(text));
  let count = 0;
  while (lexer.advance().kind !== TokenKind.EOF) count++;
  return count;
}
