import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { addMember, claim, createProject, importSamples, type Person, submit } from '../support/project.ts';
import { type Service, startService } from '../support/service.ts';
import { overWebSocket } from '../support/streams.ts';

const SHARE =
  '{ __typename ... on ShareFigure { value n interval { lower upper } } ... on WithheldFigure { reason n needed } }';
const WORK = `work { member { id } answers skips withConsensus ${SHARE} withGold ${SHARE} rubberStamped ${SHARE} skipRate ${SHARE}
  throughput { ... on ThroughputFigure { perHour } ... on WithheldFigure { reason n } }
  drift { ... on WithheldFigure { reason n needed } ... on DriftFigure { verdict } }
  goldDrift { ... on WithheldFigure { reason n needed } ... on DriftFigure { verdict } } }
  series { from until answers withConsensus ${SHARE} withGold ${SHARE} }`;

let service: Service;
let project: string;
let people: Record<'ann' | 'bob' | 'driver' | 'viewer', Person>;

beforeAll(async () => {
  service = await startService();
  project = await createProject(service, {
    labels: ['cat', 'dog'],
    preset: 'PRE_ANNOTATE',
    policy: { overlap: 2, overlapShare: 1, workSessionMinutes: 0 },
  });
  await importSamples(
    service,
    project,
    Array.from({ length: 40 }, (_, i) => ({ key: `k${i}`, data: i })),
  );
  people = {
    ann: await addMember(service, project, 'ANNOTATOR'),
    bob: await addMember(service, project, 'ANNOTATOR'),
    driver: await addMember(service, project, 'DRIVER'),
    viewer: await addMember(service, project, 'VIEWER'),
  };
  for (let i = 0; i < 32; i++) {
    await labels('ann', 'cat');
    await labels('bob', i % 4 === 0 ? 'dog' : 'cat');
  }
});
afterAll(() => service.close());

async function labels(who: 'ann' | 'bob', label: string): Promise<void> {
  const [next] = (await claim(service, people[who], project)).assignments;
  await submit(service, people[who], next?.id ?? '', label);
}

interface Seen {
  readonly project: {
    readonly annotatorWork: {
      readonly edges: readonly {
        readonly node: { readonly work: { readonly member: { readonly id: string } } };
      }[];
      readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string };
    } | null;
    readonly ownWork: unknown;
  };
}

const ask = (token: string, first: number, after: string | null = null) =>
  service.query<Seen>(
    token,
    `query Q($project: ID!, $first: Int!, $after: String) { project(id: $project) {
      annotatorWork(first: $first, after: $after) { edges { node { ${WORK} } } pageInfo { hasNextPage endCursor } }
      ownWork { answers skips throughput { __typename } secondsPerAnswer { ... on WithheldFigure { reason n needed } } series { answers } } } }`,
    { project, first, after },
  );

describe('how people work', () => {
  it('is told to owners and drivers in pages, each figure with what it rests on or why it is held back', async () => {
    const first = await ask(people.driver.token, 1);
    expect(first.project.annotatorWork).toMatchObject({
      edges: [
        {
          node: {
            work: {
              member: { id: people.ann.id },
              answers: 32,
              withConsensus: { value: 0.75, n: 32, interval: { lower: expect.any(Number) } },
              withGold: { __typename: 'WithheldFigure', reason: 'TOO_FEW', n: 0, needed: 30 },
              rubberStamped: { __typename: 'WithheldFigure', reason: 'TOO_FEW', n: 0, needed: 30 },
              skipRate: { value: 0, n: 32 },
              drift: { reason: 'TOO_FEW', n: 32, needed: 60 },
              goldDrift: { reason: 'TOO_FEW', n: 0, needed: 60 },
            },
          },
        },
      ],
      pageInfo: { hasNextPage: true },
    });
    const second = await ask(service.ownerToken, 10, first.project.annotatorWork?.pageInfo.endCursor);
    expect(second.project.annotatorWork?.edges.map(({ node }) => node.work.member.id)).toEqual([
      people.bob.id,
    ]);
  });

  it('is told to nobody else, but for what is their own and compared with nothing', async () => {
    const own = await ask(people.ann.token, 10);
    expect(own.project).toEqual({
      annotatorWork: null,
      ownWork: {
        answers: 32,
        skips: 0,
        throughput: { __typename: expect.any(String) },
        secondsPerAnswer: { reason: 'TOO_FEW', n: 0, needed: 30 },
        series: expect.any(Array),
      },
    });
    expect((await ask(people.viewer.token, 10)).project).toEqual({ annotatorWork: null, ownWork: null });
  });

  it('is pushed when it changes, also to whom others have changed it', async () => {
    const stream = overWebSocket(
      service,
      people.driver.token,
      `subscription S($project: ID!) { people(project: $project) { seq count people { member { id } withConsensus ${SHARE} } } }`,
      { project },
    );
    const push = async () => (await stream.next())?.data as { people: Pushed };
    const { people: before } = await push();
    expect(before.count).toBe(2);
    await labels('ann', 'cat');
    await labels('bob', 'cat');
    let after = before;
    while (after.people.some(({ withConsensus }) => withConsensus.n < 33)) after = (await push()).people;
    expect(after.seq).toBeGreaterThan(before.seq);
    await stream.close();
  });
});

interface Pushed {
  readonly seq: number;
  readonly count: number;
  readonly people: readonly {
    readonly member: { readonly id: string };
    readonly withConsensus: { readonly n: number };
  }[];
}
