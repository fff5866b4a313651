import {
  connectDriver,
  type Driver,
  type DriverProject,
  ForbiddenError,
  InvalidInputError,
} from '@concord/sdk/driver';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { addMember, claim, createProject, importSamples, submit } from '../support/project.ts';
import { type Service, startService } from '../support/service.ts';

const LABELS = ['poor', 'fair', 'good'];
/** What three people say of each of four samples. */
const SAID = [
  ['poor', 'poor', 'poor'],
  ['good', 'fair', 'fair'],
  ['poor', 'good', 'fair'],
  ['good', 'poor', 'poor'],
];

let service: Service;
let driver: Driver;
let id: string;
let project: DriverProject;
let annotator: string;
let tool: string;

beforeAll(async () => {
  service = await startService();
  driver = connectDriver({ url: `${service.url}/graphql`, token: service.ownerToken });
  id = await createProject(service, {
    labels: LABELS,
    labelScale: 'ORDINAL',
    preset: 'PRE_ANNOTATE',
    policy: { overlap: 3, overlapShare: 1, workSessionMinutes: 0, suggestions: 'HIDDEN' },
  });
  await importSamples(
    service,
    id,
    SAID.map((_, i) => ({ key: `k${i}`, data: i })),
  );
  for (const person of [0, 1, 2]) {
    const member = await addMember(service, id, 'ANNOTATOR', { name: `person ${person}` });
    annotator = member.token;
    const { assignments } = await claim(service, member, id, 4);
    for (const { id: assignment, data } of assignments)
      await submit(service, member, assignment, SAID[data as number]?.[person] as string);
  }
  tool = (await addMember(service, id, 'DRIVER')).token;
  project = await driver.project(id);
});
afterAll(async () => {
  driver.client.close();
  await service.close();
});

async function queue() {
  const found = [];
  for await (const disagreement of project.disagreements()) found.push(disagreement);
  return found;
}

describe('adjudication', () => {
  it('is a queue of what people disagree on, the most costly first, with who said what', async () => {
    const found = await queue();
    expect(found.map(({ sample, tied }) => [sample.key, tied])).toEqual([
      ['k3', false],
      ['k2', true],
      ['k1', false],
    ]);
    // Two of three pairs are at both ends of the scale: 2, over one less than three answers.
    expect(found.map(({ cost }) => cost)).toEqual([1, 0.75, 0.25]);
    const [worst] = found;
    expect(worst?.answers.map(({ member, label }) => [member.name, label])).toEqual([
      ['person 2', 'poor'],
      ['person 1', 'poor'],
      ['person 0', 'good'],
    ]);
  });

  it('rules, and takes that back, for owners alone; both stand in the activity', async () => {
    const sample = (await queue())[0]?.sample;
    if (sample === undefined) throw new Error('there is a disagreement');
    const input = { sample: sample.id, label: 'good', reason: 'seen by two experts' };
    for (const token of [annotator, tool]) {
      const refused = await service.query<{ rule: { code: string } }>(
        token,
        'mutation R($input: RuleInput!) { rule(input: $input) { ... on Error { code } } }',
        { input },
      );
      expect(refused.rule.code).toBe('FORBIDDEN');
    }
    await expect(project.rule(sample, { label: 'good', reason: ' ' })).rejects.toThrow(InvalidInputError);
    await project.rule(sample, { label: 'good', reason: 'seen by two experts' });
    expect((await queue()).map(({ sample: { key } }) => key)).toEqual(['k2', 'k1']);
    expect(await rulingOf('k3')).toMatchObject({ label: 'good', reason: 'seen by two experts' });
    const ruled = await examples();
    expect(ruled['k3']).toMatchObject({ label: 'good', source: 'RULING', votes: 1, of: 3, confidence: 1 });
    // What ties has no label, until somebody rules.
    expect(ruled['k2']).toBeUndefined();

    await project.reopenRuling(sample, { reason: 'they saw another one' });
    expect(await rulingOf('k3')).toBeNull();
    expect((await queue())[0]?.sample.key).toBe('k3');
    expect((await examples())['k3']).toMatchObject({ label: 'poor', source: 'CONSENSUS' });

    const rulings = [];
    for await (const push of driver.client.followActivity({ project: id })) {
      if (push.__typename !== 'ActivityEvents') throw new Error('nothing was lost');
      for (const event of push.events) {
        if (event.__typename !== 'Ruled' && event.__typename !== 'RulingReopened') continue;
        rulings.push([event.__typename, event.sampleNumber, event.rulingReason]);
      }
      if (rulings.length === 2) break;
    }
    expect(rulings).toEqual([
      ['Ruled', 3, 'seen by two experts'],
      ['RulingReopened', 3, 'they saw another one'],
    ]);
  });

  it('shows its queue to owners alone', async () => {
    const other = connectDriver({ url: `${service.url}/graphql`, token: tool });
    const steered = await other.project(id);
    await expect(steered.disagreements()[Symbol.asyncIterator]().next()).rejects.toThrow(ForbiddenError);
    other.client.close();
    const document = 'query C($id: ID!) { project(id: $id) { disagreementCount } }';
    const count = (token: string) =>
      service.query<{ project: { disagreementCount: number | null } }>(token, document, { id });
    expect((await count(service.ownerToken)).project.disagreementCount).toBe(3);
    expect((await count(tool)).project.disagreementCount).toBeNull();
  });
});

async function rulingOf(key: string): Promise<object | null> {
  const document =
    'query R($id: ID!, $key: String!) { project(id: $id) { sample(key: $key) { ruling { label reason at by { id } } } } }';
  const answer = await service.query<{ project: { sample: { ruling: object | null } } }>(
    service.ownerToken,
    document,
    { id, key },
  );
  return answer.project.sample.ruling;
}

async function examples() {
  const found: Record<string, object> = {};
  for await (const { sample, ...example } of project.trainingSet()) found[sample.key] = example;
  return found;
}
