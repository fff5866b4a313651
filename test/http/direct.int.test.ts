import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Service, startService } from '../support/service.ts';

/**
 * Plain requests do not pass through Yoga. A request with an Origin does: both must be answered alike, whatever
 * is right or wrong with them.
 */
describe('a plain request is answered as Yoga answers it:', () => {
  let service: Service;
  let project: string;

  beforeAll(async () => {
    service = await startService();
    const created = await service.query<{ createProject: { id: string } }>(
      service.ownerToken,
      'mutation { createProject(input: { name: "p", labels: ["a", "b"] }) { ... on Project { id } } }',
    );
    project = created.createProject.id;
  });
  afterAll(() => service.close());

  async function answerTo(body: string, headers: Readonly<Record<string, string>>) {
    const response = await fetch(`${service.url}/graphql`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${service.ownerToken}`,
        'content-type': 'application/json',
        accept: 'application/json',
        ...headers,
      },
      body,
    });
    const text = await response.text();
    return {
      status: response.status,
      type: response.headers.get('content-type'),
      authenticate: response.headers.get('www-authenticate'),
      body: text === '' ? '' : JSON.parse(text),
    };
  }

  const documents = `
    query One($id: ID!) { node(id: $id) { __typename ... on Project { name } } }
    query Two { __typename }
    mutation Close($id: ID!) { closeRound(input: { round: $id }) { __typename ... on Error { code message } } }
    subscription Follow($id: ID!) { progress(project: $id) { seq } }`;
  const cases: readonly (readonly [string, () => unknown, Readonly<Record<string, string>>?])[] = [
    ['a query', () => ({ query: documents, operationName: 'One', variables: { id: project } })],
    ['a refusal', () => ({ query: documents, operationName: 'Close', variables: { id: 'none' } })],
    ['null beside the query', () => ({ query: '{ __typename }', variables: null, extensions: null })],
    ['no operation name', () => ({ query: documents })],
    ['an unknown operation name', () => ({ query: documents, operationName: 'Three' })],
    ['an operation name that is none', () => ({ query: documents, operationName: 2 })],
    ['a subscription', () => ({ query: documents, operationName: 'Follow', variables: { id: project } })],
    ['a missing variable', () => ({ query: documents, operationName: 'One' })],
    ['a wrong variable', () => ({ query: documents, operationName: 'One', variables: { id: {} } })],
    ['variables that are a list', () => ({ query: documents, operationName: 'Two', variables: [] })],
    ['bad syntax', () => ({ query: '{' })],
    ['an unknown field', () => ({ query: '{ nothing }' })],
    ['no query', () => ({})],
    ['a list of queries', () => [{ query: '{ __typename }' }]],
    ['an unknown parameter', () => ({ query: '{ __typename }', more: 1 })],
    ['nobody', () => ({ query: '{ viewer: projects { edges { cursor } } }' }), { authorization: '' }],
    ['an unknown token', () => ({ query: '{ __typename }' }), { authorization: `Bearer ${'x'.repeat(40)}` }],
  ];

  for (const accept of ['application/json', 'application/graphql-response+json, application/json;q=0.9']) {
    for (const [name, body, headers = {}] of cases) {
      it(`${name}, for ${accept.split(',', 1)[0]}`, async () => {
        const text = JSON.stringify(body());
        const plain = await answerTo(text, { accept, ...headers });
        expect(plain).toEqual(await answerTo(text, { accept, ...headers, origin: 'https://example.org' }));
        expect(plain.status).toBeLessThan(500);
      });
    }
  }

  it('no JSON', async () => {
    expect(await answerTo('{', {})).toEqual(await answerTo('{', { origin: 'https://example.org' }));
  });
});
