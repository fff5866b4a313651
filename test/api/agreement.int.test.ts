import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  addMember,
  claim,
  createProject,
  importSamples,
  mutate,
  type Person,
  publish,
  submit,
} from '../support/project.ts';
import { type Service, startService } from '../support/service.ts';

const FIGURE =
  '{ ... on AgreementFigure { value n answers band standardError interval { lower upper } } ... on UndefinedFigure { reason n } }';
const GRADES = ['poor', 'fair', 'good'];

let service: Service;

beforeAll(async () => {
  service = await startService();
});
afterAll(() => service.close());

/** What three people say of each of six samples. */
const SAID: readonly (readonly string[])[] = [
  ['poor', 'poor', 'fair'],
  ['fair', 'fair', 'fair'],
  ['good', 'fair', 'good'],
  ['good', 'good', 'good'],
  ['poor', 'fair', 'poor'],
  ['good', 'good', 'good'],
];

async function labelled(input: object): Promise<{ project: string; people: Person[] }> {
  const project = await createProject(service, {
    labels: GRADES,
    preset: 'PRE_ANNOTATE',
    policy: {
      overlap: 3,
      overlapShare: 1,
      workSessionMinutes: 0,
      suggestions: 'HIDDEN',
      autoAcceptThreshold: null,
    },
    ...input,
  });
  const samples = SAID.map((_, i) => ({ key: `k${i}`, data: i }));
  await importSamples(service, project, samples);
  await publish(service, project, Object.fromEntries(samples.map(({ key }) => [key, [0.1, 0.2, 0.7]])));
  const people = [];
  for (let i = 0; i < 3; i++)
    people.push(await addMember(service, project, 'ANNOTATOR', { name: `Person ${i}` }));
  for (const [i, person] of people.entries()) {
    for (const answers of SAID) {
      const [held] = (await claim(service, person, project)).assignments;
      await submit(service, person, held?.id ?? '', answers[i] ?? '');
    }
  }
  return { project, people };
}

describe('agreement', () => {
  it('has every figure that ordered labels define, pairs in pages, and people against the model', async () => {
    const { project, people } = await labelled({ labelScale: 'ORDINAL' });
    const { project: seen } = await service.query<{ project: Record<string, never> & Seen }>(
      service.ownerToken,
      `query Q($project: ID!) { project(id: $project) {
        labelScale labelValues
        agreement { alpha ${FIGURE} ordinalAlpha ${FIGURE} intervalAlpha ${FIGURE} fleissKappa ${FIGURE} gwetAC1 ${FIGURE} raw ${FIGURE}
          classes { label answers specific alpha ${FIGURE} } pairCount pairs { members { id } linearKappa ${FIGURE} } }
        predictionRun { peopleAgreement { draw suggestions suggestionOffered answers agreeing kappa ${FIGURE} } } } }`,
      { project },
    );
    const { agreement } = seen;
    expect([seen.labelScale, seen.labelValues]).toEqual(['ORDINAL', null]);
    // Of six samples of three labels each, three agree in full and three in one pair of three.
    expect(agreement.raw).toMatchObject({ value: (3 + 3 / 3) / 6, n: 6, answers: 18, band: null });
    for (const name of ['alpha', 'ordinalAlpha', 'fleissKappa', 'gwetAC1'] as const)
      expect(agreement[name]).toMatchObject({ n: 6, band: 'TOO_FEW', interval: expect.anything() });
    expect(agreement.intervalAlpha).toEqual({ reason: 'LABELS_HAVE_NO_DISTANCES', n: 6 });
    expect(agreement.classes.map(({ label, answers }) => [label, answers])).toEqual([
      ['poor', 4],
      ['fair', 6],
      ['good', 8],
    ]);
    expect(agreement.pairCount).toBe(3);
    expect(agreement.pairs).toMatchObject([{ linearKappa: { n: 6 } }, {}, {}]);
    // The model says "good" of everything, and nobody was shown that.
    expect(seen.predictionRun.peopleAgreement).toEqual([
      {
        draw: 'POOL',
        suggestions: 'HIDDEN',
        suggestionOffered: false,
        answers: 18,
        agreeing: 8,
        kappa: expect.objectContaining({ value: 0 }),
      },
    ]);

    const paged: string[][] = [];
    for (let after: string | null = null, more = true; more; ) {
      const page: Page = await service.query<Page>(
        people[0]?.token ?? null,
        `query Q($project: ID!, $after: String) { project(id: $project) { agreementPairs(first: 2, after: $after) {
          edges { node { members { id } } } pageInfo { hasNextPage endCursor } } } }`,
        { project, after },
      );
      const { edges, pageInfo } = page.project.agreementPairs;
      paged.push(...edges.map(({ node }) => node.members.map(({ id }) => id)));
      [after, more] = [pageInfo.endCursor, pageInfo.hasNextPage];
    }
    const ids = people.map(({ id }) => id);
    expect(paged).toEqual([
      [ids[0], ids[1]],
      [ids[0], ids[2]],
      [ids[1], ids[2]],
    ]);
  });

  it('of labels that are numbers weighs by their values; of names, says that there is nothing to weigh by', async () => {
    const ask = async (project: string) => {
      const reply = await service.query<{
        project: { labelValues: number[] | null; agreement: Record<string, object> };
      }>(
        service.ownerToken,
        `query Q($project: ID!) { project(id: $project) { labelValues agreement { ordinalAlpha ${FIGURE} intervalAlpha ${FIGURE} } } }`,
        { project },
      );
      return reply.project;
    };
    const far = await ask((await labelled({ labelScale: 'INTERVAL', labelValues: [1, 2, 50] })).project);
    const even = await ask((await labelled({ labelScale: 'INTERVAL' })).project);
    expect([far.labelValues, even.labelValues]).toEqual([
      [1, 2, 50],
      [0, 1, 2],
    ]);
    expect(far.agreement['ordinalAlpha']).toEqual(even.agreement['ordinalAlpha']);
    expect(far.agreement['intervalAlpha']).not.toEqual(even.agreement['intervalAlpha']);
    const names = await ask((await labelled({})).project);
    expect(names.agreement).toEqual({
      ordinalAlpha: { reason: 'LABELS_HAVE_NO_ORDER', n: 6 },
      intervalAlpha: { reason: 'LABELS_HAVE_NO_ORDER', n: 6 },
    });
  });

  it('refuses values that are no scale', async () => {
    const created = (input: object) =>
      mutate(service, service.ownerToken, 'createProject', { name: 'P', labels: GRADES, ...input });
    for (const input of [
      { labelScale: 'INTERVAL', labelValues: [1, 2] },
      { labelScale: 'INTERVAL', labelValues: [1, 3, 2] },
      { labelScale: 'ORDINAL', labelValues: [1, 2, 3] },
    ]) {
      expect(await created(input)).toMatchObject({ code: 'INVALID_INPUT', field: 'scale' });
    }
  });
});

interface Seen {
  readonly labelScale: string;
  readonly labelValues: null;
  readonly agreement: Record<
    'alpha' | 'ordinalAlpha' | 'intervalAlpha' | 'fleissKappa' | 'gwetAC1' | 'raw',
    object
  > & {
    readonly classes: readonly { label: string; answers: number }[];
    readonly pairCount: number;
    readonly pairs: readonly object[];
  };
  readonly predictionRun: { readonly peopleAgreement: readonly object[] };
}

interface Page {
  readonly project: {
    readonly agreementPairs: {
      readonly edges: readonly { readonly node: { readonly members: readonly { id: string }[] } }[];
      readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string | null };
    };
  };
}
