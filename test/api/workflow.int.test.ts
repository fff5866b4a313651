import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type Assignment,
  addMember,
  claim,
  createProject,
  importSamples,
  must,
  openRound,
  type Person,
  publish,
  submit,
} from '../support/project.ts';
import { type Service, startService } from '../support/service.ts';
import { overEvents, overWebSocket, type Push } from '../support/streams.ts';

/**
 * The main path, told as a story: the steps follow each other and share one project. Fruit are sorted by what is
 * written on them, so that everybody, the model too, can be right or wrong.
 */
describe('a project from nothing to a training set', () => {
  const FRUIT = 120;
  const KINDS = ['apple', 'pear', 'plum'] as const;
  const truth = (i: number) => KINDS[(i * 7) % 3] ?? 'apple';
  const truthOf = ({ data }: Assignment) => (data as { fruit: string }).fruit;

  let service: Service;
  let project: string;
  let trainer: Person;
  let annotators: readonly Person[];

  beforeAll(async () => {
    service = await startService();
  });
  afterAll(() => service?.close());

  it('an owner creates it and lets people and tools in', async () => {
    project = await createProject(service, {
      name: 'Fruit',
      labels: KINDS,
      guidelines: 'Read what is written.',
      seed: 7,
      policy: { overlapShare: 0.3, autoAcceptThreshold: 0.9, auditShare: 0.2, suggestions: 'HIDDEN' },
    });
    trainer = await addMember(service, project, 'DRIVER', { name: 'Trainer' });
    annotators = await Promise.all(
      ['Ada', 'Bo', 'Cy'].map((name) => addMember(service, project, 'ANNOTATOR', { name })),
    );
    const { projects } = await service.query<{ projects: { edges: readonly unknown[] } }>(
      annotators[0]?.token ?? null,
      '{ projects { edges { node { name myRole labels members { edges { node { role member { name } } } } } } } }',
    );
    const member = (role: string, name: string | null) => ({ node: { role, member: { name } } });
    expect(projects.edges).toEqual([
      {
        node: {
          name: 'Fruit',
          myRole: 'ANNOTATOR',
          labels: KINDS,
          members: {
            edges: [
              member('OWNER', null),
              member('DRIVER', 'Trainer'),
              ...['Ada', 'Bo', 'Cy'].map((name) => member('ANNOTATOR', name)),
            ],
          },
        },
      },
    ]);
  });

  it('samples come in parts, and parts sent twice come once', async () => {
    const part = (first: number, count: number) =>
      Array.from({ length: count }, (_, i) => ({
        key: `fruit-${first + i}`,
        data: { fruit: truth(first + i) },
      }));
    expect(await importSamples(service, project, part(0, 70), { part: 0 })).toMatchObject({
      first: 0,
      count: 70,
    });
    expect(await importSamples(service, project, part(70, 50), { part: 1 })).toMatchObject({
      first: 70,
      count: 50,
    });
    expect(await importSamples(service, project, part(0, 70), { part: 0 })).toMatchObject({
      first: 0,
      count: 70,
    });
    expect(await progress()).toMatchObject({ samples: FRUIT, labelled: 0, answers: 0, round: null });
  });

  it('before there is a round, a claim says so', async () => {
    const [ada] = annotators as [Person];
    expect(await claim(service, ada, project, 5)).toMatchObject({
      assignments: [],
      empty: { reason: 'NO_ROUND' },
    });
  });

  it('a first round is drawn at random, announced, and labelled by three at once', async () => {
    const [ada] = annotators as [Person];
    const feed = overWebSocket(service, ada.token, FEED, { project });
    const watched = overEvents(service, trainer.token, PROGRESS, { project });
    const round = await openRound(service, project, { strategy: 'random', size: 30 });
    expect(round).toMatchObject({ number: 1, size: 30, total: 30, settled: 0, isOpen: true });
    const announced = (await feed.next())?.data as { prioritized: { samples: readonly { data: unknown }[] } };
    expect(announced.prioritized.samples).toHaveLength(30);

    await labelAll();
    expect(await progress()).toMatchObject({
      labelled: 30,
      round: { number: 1, settled: 30, isOpen: false, closeReason: 'SETTLED' },
    });
    type Watched = { progress: { labelled: number; round: { isOpen: boolean } | null } };
    let pushed: Push | null;
    do pushed = await watched.next();
    while ((pushed?.data as Watched | undefined)?.progress.round?.isOpen !== false);
    expect(pushed?.data).toMatchObject({ progress: { labelled: 30 } });
    await Promise.all([feed.close(), watched.close()]);
  });

  it('a model is trained on it, and says what it is sure of', async () => {
    const { examples } = await trainingSet();
    expect(examples).toHaveLength(30);
    expect(new Set(examples.map(({ source }) => source))).toEqual(new Set(['CONSENSUS']));
    // A good model that has never seen a plum: of those it says apple, and is sure.
    const says = (i: number) => {
      const kind = truth(i) === 'plum' ? 'apple' : truth(i);
      const sure = i % 2 === 0 ? 0.95 : 0.6;
      return KINDS.map((other) => (other === kind ? sure : (1 - sure) / 2));
    };
    const predictions = Object.fromEntries(Array.from({ length: FRUIT }, (_, i) => [`fruit-${i}`, says(i)]));
    const run = await publish(service, project, predictions, 'fruit-1');
    expect(run).toMatchObject({ number: 1, rows: FRUIT });
    expect(run.accepted).toBeGreaterThan(30);
    expect(run.audits).toBe(Math.ceil(run.accepted * 0.2));
  });

  it('the next round asks what it is unsure of, a random share, and audits of what it is sure of', async () => {
    const round = await openRound(service, project, {
      strategy: 'hybrid',
      parameters: { share: 0.25 },
      size: 32,
    });
    expect(round).toMatchObject({ number: 2, size: 32 });
    expect(round.total).toBeGreaterThan(32);
    const { project: seen } = await service.query<{ project: Drawn }>(trainer.token, DRAWN, { project });
    const draws = seen.openRound.samples.edges.map(({ node }) => node.draw);
    const count = (draw: string) => draws.filter((one) => one === draw).length;
    expect({ random: count('RANDOM'), uncertain: count('UNCERTAIN'), audits: count('AUDIT') }).toEqual({
      random: 8,
      uncertain: 24,
      audits: round.total - 32,
    });
    const watched = overEvents(service, trainer.token, AUDIT, { project });
    expect((await watched.next())?.data).toMatchObject({ audit: { run: { audited: 0, errors: 0 } } });
    await labelAll();
    // Each answer to an audit is pushed to those who steer, and says what it comes to.
    type Audited = { audit: { run: { audited: number; classAudits: readonly { audited: number }[] } } };
    const answered = (push: Push | null) =>
      (push?.data as Audited | undefined)?.audit.run.classAudits.reduce(
        (sum, { audited }) => sum + audited,
        0,
      );
    let pushed: Push | null;
    do pushed = await watched.next();
    while ((answered(pushed) ?? Number.NaN) < round.total - 32);
    expect(answered(pushed)).toBe(round.total - 32);
    await watched.close();
    // The audits too: all that was announced is answered.
    const { settled, ...closed } = (await progress()).round ?? {};
    expect(closed).toMatchObject({ number: 2, isOpen: false, closeReason: 'SETTLED', total: settled });
  });

  it('the audits have found the model out', async () => {
    const { project: seen } = await service.query<{
      project: { predictionRun: { audited: number; errors: number; errorRate: number; autoAccept: string } };
    }>(
      trainer.token,
      'query Run($project: ID!) { project(id: $project) { predictionRun { audited errors errorRate autoAccept } } }',
      { project },
    );
    const { audited, errors, errorRate } = seen.predictionRun;
    expect(audited).toBeGreaterThan(0);
    expect(errors).toBeGreaterThan(0);
    expect(errorRate).toBe(errors / audited);
  });

  it('agreement of those who always read what is written is perfect', async () => {
    const { project: seen } = await service.query<{
      project: {
        agreement: { alpha: object; pairs: readonly { kappa: object; members: readonly object[] }[] };
      };
    }>(
      annotators[0]?.token ?? null,
      `query Agreement($project: ID!) { project(id: $project) { agreement {
        alpha { ... on AgreementFigure { value n } ... on UndefinedFigure { reason } }
        pairs { members { name } kappa { ... on AgreementFigure { value n } ... on UndefinedFigure { reason } } } } } }`,
      { project },
    );
    const { alpha, pairs } = seen.agreement;
    expect(alpha).toMatchObject({ value: 1 });
    expect(pairs.length).toBeGreaterThan(0);
    for (const { kappa, members } of pairs) {
      expect(members).toHaveLength(2);
      expect([1, undefined]).toContain((kappa as { value?: number }).value);
    }
  });

  it('the training set is paged, and tells where each label comes from', async () => {
    const { examples, pages } = await trainingSet(true);
    expect(pages).toBeGreaterThan(3);
    const keys = examples.map(({ sample }) => sample.key);
    expect(new Set(keys).size).toBe(keys.length);
    const people = examples.filter(({ source }) => source === 'CONSENSUS');
    expect(people).toHaveLength((await progress()).labelled);
    for (const { label, sample, draw, votes, of } of people) {
      expect(label).toBe(sample.data.fruit);
      expect(draw).not.toBeNull();
      expect(votes).toBe(of);
    }
    for (const { draw, of } of examples.filter(({ source }) => source === 'AUTO_ACCEPTED')) {
      expect({ draw, of }).toEqual({ draw: null, of: 0 });
    }
    // Of what the audits have not proven, nothing is taken in unasked.
    expect((await trainingSet()).examples).toHaveLength(people.length);
  });

  it('an answer can be taken back, and given again', async () => {
    const [ada] = annotators as [Person];
    await openRound(service, project, { strategy: 'margin', size: 3 });
    const [first] = (await claim(service, ada, project)).assignments as [Assignment];
    await submit(service, ada, first.id, 'pear');
    const before = (await progress()).answers;
    const selection = '... on Assignment { state label }';
    const undone = await must(service, ada.token, 'undo', { assignment: first.id }, selection);
    expect(undone).toMatchObject({ state: 'HELD', label: null });
    expect((await progress()).answers).toBe(before - 1);
    await submit(service, ada, first.id, truthOf(first));
    expect((await progress()).answers).toBe(before);
  });

  /** Everybody claims a few and labels them, all at the same time, until there is nothing left. */
  async function labelAll(): Promise<void> {
    const label = async (person: Person) => {
      let { assignments } = await claim(service, person, project, 3);
      while (assignments.length > 0) {
        const [next] = assignments as [Assignment];
        expect(next).toMatchObject({ suggestion: null, state: 'HELD', label: null });
        assignments = (await submit(service, person, next.id, truthOf(next), 3)).queue.assignments;
      }
    };
    // What one gives nobody back may still be held by another: a second turn finds nothing, or the last.
    await Promise.all(annotators.map(label));
    await Promise.all(annotators.map(label));
  }

  async function progress(): Promise<ProgressView> {
    const document = `query Progress($project: ID!) { project(id: $project) {
      progress { samples labelled answers round { number settled total isOpen closeReason } } } }`;
    const answer = await service.query<{ project: { progress: ProgressView } }>(trainer.token, document, {
      project,
    });
    return answer.project.progress;
  }

  /** The whole training set, read a page after the other. */
  async function trainingSet(provisional = false) {
    const document = `query Training($project: ID!, $provisional: Boolean!, $after: String) { project(id: $project) {
      trainingSet(provisional: $provisional, first: 20, after: $after) {
        edges { node { label source draw votes of sample { key data } } } pageInfo { hasNextPage endCursor } } } }`;
    const examples: Example[] = [];
    let after: string | null = null;
    let pages = 0;
    for (;;) {
      const variables = { project, provisional, after };
      const answer: { project: { trainingSet: Page } } = await service.query(
        trainer.token,
        document,
        variables,
      );
      const { edges, pageInfo } = answer.project.trainingSet;
      examples.push(...edges.map(({ node }) => node));
      pages++;
      if (!pageInfo.hasNextPage) return { examples, pages };
      after = pageInfo.endCursor;
    }
  }
});

const FEED = `subscription Feed($project: ID!) { prioritized(project: $project) {
  ... on PrioritizedSamples { samples { rank priority data } } } }`;
const PROGRESS = `subscription Progress($project: ID!) { progress(project: $project) { labelled round { isOpen } } }`;
const AUDIT = `subscription Audit($project: ID!) { audit(project: $project) {
  run { audited errors autoAccept errorBounds { lower upper } classAudits { label audited errors } } } }`;
const DRAWN = `query Drawn($project: ID!) { project(id: $project) {
  openRound { samples(first: 100) { edges { node { draw } } } } } }`;

interface Drawn {
  readonly openRound: {
    readonly samples: { readonly edges: readonly { readonly node: { draw: string } }[] };
  };
}

interface ProgressView {
  readonly samples: number;
  readonly labelled: number;
  readonly answers: number;
  readonly round: { readonly settled?: number } | null;
}

interface Example {
  readonly label: string;
  readonly source: string;
  readonly draw: string | null;
  readonly votes: number;
  readonly of: number;
  readonly sample: { readonly key: string; readonly data: { readonly fruit: string } };
}

interface Page {
  readonly edges: readonly { readonly node: Example }[];
  readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string | null };
}
