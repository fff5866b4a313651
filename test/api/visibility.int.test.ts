import { isInputObjectType } from 'graphql';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { schema } from '../../src/graphql/schema.ts';
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
import { type Reply, type Service, startService, type Variables } from '../support/service.ts';
import { overEvents, overWebSocket, type Push, type Reader } from '../support/streams.ts';
import { type Arguments, type Leaf, leaves, reachable, type Walk, walks } from '../support/walk.ts';

/**
 * Rule 6 of the queue, held against all that the schema has: everybody asks for every field with every id there
 * is, does and follows all there is to do and to follow, and what comes back is looked through for what they must
 * not see. A field that is added to the schema is walked by itself; one that needs an argument which is not given
 * here fails the test until it is.
 */

const LABEL = { anna: 'label-of-anna', ben: 'label-of-ben', model: 'label-of-model' };
const LABELS = [LABEL.anna, LABEL.ben, LABEL.model, 'label-of-nobody'];
const NAME = 'NAME-of-the-project';
const GUIDELINES = 'GUIDELINES-of-the-project';
/** A round's seed tells where its audits stand. */
const SEED = 3_735_928_559;
const SAMPLES = 80;

const key = (i: number) => `KEY-${i}-KEY`;
const payload = (i: number) => `PAYLOAD-${i}-PAYLOAD`;

type Who = 'owner' | 'driver' | 'anna' | 'ben' | 'viewer' | 'outsider' | 'nobody';

interface World {
  readonly project: string;
  readonly people: Readonly<Record<Exclude<Who, 'owner' | 'nobody'>, Person>>;
  readonly tokens: Readonly<Record<Who, string | null>>;
  /** Every id and argument that anybody could ask with. */
  readonly args: Arguments;
  /** Numbers that only owners and drivers may see: confidences, scores, the seed. */
  readonly secretNumbers: ReadonlySet<number>;
  readonly held: Readonly<Record<'anna' | 'ben', readonly Assignment[]>>;
}

let service: Service;

beforeAll(async () => {
  service = await startService();
});
afterAll(() => service?.close());

/** The distribution of a sample, all different: half are sure, half are not. The model says its own label. */
function distribution(i: number): number[] {
  const p = i % 2 === 0 ? 0.9412 + i * 0.000617 : 0.4123 + i * 0.000723;
  return [(1 - p) * 0.61, (1 - p) * 0.29, p, (1 - p) * 0.1];
}

async function seed(suggestions: 'AFTER_FIRST_ANSWER' | 'SHOWN'): Promise<World> {
  const project = await createProject(service, {
    name: NAME,
    labels: LABELS,
    guidelines: GUIDELINES,
    preset: 'ACTIVE_LEARNING',
    policy: {
      suggestions,
      hiddenShare: 0.3,
      overlapShare: 0.6,
      autoAcceptThreshold: 0.9,
      auditShare: 0.5,
      workSessionMinutes: 0,
      goldShare: 0.1,
    },
  });
  const people = {
    driver: await addMember(service, project, 'DRIVER', { name: 'Person Dora' }),
    anna: await addMember(service, project, 'ANNOTATOR', { name: 'Person Anna' }),
    ben: await addMember(service, project, 'ANNOTATOR', { name: 'Person Ben' }),
    viewer: await addMember(service, project, 'VIEWER', { name: 'Person Vera' }),
    outsider: await addMember(service, await createProject(service, { name: 'Elsewhere' }), 'OWNER'),
  };
  await importSamples(
    service,
    project,
    Array.from({ length: SAMPLES }, (_, i) => ({
      key: key(i),
      data: { text: payload(i) },
      ...(i >= SAMPLES - 10 && { groundTruth: LABEL.model }),
    })),
  );
  // A round before the first prediction, so that there are labels of both, and one that is open.
  await openRound(service, project, { strategy: 'random', size: 10, seed: SEED });
  await work(project, people, 8);
  await must(service, service.ownerToken, 'closeRound', { round: globalId('Round', `${raw(project)}/1`) });
  const predictions = Object.fromEntries(
    Array.from({ length: SAMPLES }, (_, i) => [key(i), distribution(i)]),
  );
  const run = await publish(service, project, predictions);
  expect(run.audits).toBeGreaterThan(10);
  const round = await openRound(service, project, {
    strategy: 'hybrid',
    parameters: { share: 0.3 },
    size: 30,
    seed: SEED,
  });
  await work(project, people, 6);
  const held = {
    anna: (await claim(service, people.anna, project, 4)).assignments,
    ben: (await claim(service, people.ben, project, 4)).assignments,
  };
  expect(held.anna).toHaveLength(4);
  expect(held.ben).toHaveLength(4);

  const samples = await service.query<{ project: SeenProject }>(service.ownerToken, SEEN, { id: project });
  const numbers = samples.project.round.samples.edges.flatMap(({ node }) => [
    node.score,
    node.normalisedScore,
  ]);
  numbers.push(...samples.project.samples.edges.map(({ node }) => node.confidence), SEED);
  const ids = [
    project,
    run.id,
    round.id,
    globalId('Round', `${raw(project)}/1`),
    ...samples.project.samples.edges.slice(0, 5).map(({ node }) => node.id),
    ...Object.values(people).map(({ id }) => id),
    ...[...held.anna, ...held.ben].map(({ id }) => id),
  ];
  return {
    project,
    people,
    tokens: {
      owner: service.ownerToken,
      driver: people.driver.token,
      anna: people.anna.token,
      ben: people.ben.token,
      viewer: people.viewer.token,
      outsider: people.outsider.token,
      nobody: null,
    },
    args: argumentsFor(project, ids),
    secretNumbers: new Set(numbers.filter((n): n is number => n !== null && n !== 0 && n !== 1)),
    held,
  };
}

interface SeenProject {
  readonly samples: {
    readonly edges: readonly { readonly node: { id: string; confidence: number | null } }[];
  };
  readonly round: {
    readonly samples: {
      readonly edges: readonly {
        readonly node: { score: number | null; normalisedScore: number | null };
      }[];
    };
  };
}
const SEEN = `query Seen($id: ID!) { project(id: $id) {
  samples(first: 500) { edges { node { id confidence } } }
  round(number: 2) { samples(first: 500) { edges { node { score normalisedScore } } } } } }`;

/** Anna and Ben label, each with a label of their own. */
async function work(project: string, { anna, ben }: World['people'], count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    for (const [person, label] of [
      [anna, LABEL.anna],
      [ben, LABEL.ben],
    ] as const) {
      const [next] = (await claim(service, person, project)).assignments;
      if (next) await submit(service, person, next.id, label);
    }
  }
}

/** What every field is asked with. */
function argumentsFor(project: string, ids: readonly string[]): Arguments {
  return (coordinate, args) => {
    switch (coordinate) {
      case 'Query.project':
      case 'Subscription.activity':
      case 'Subscription.agreement':
      case 'Subscription.audit':
      case 'Subscription.people':
      case 'Subscription.gold':
      case 'Subscription.presence':
      case 'Subscription.progress':
      case 'Subscription.prioritized':
      case 'Subscription.queue':
        return [{ [coordinate === 'Query.project' ? 'id' : 'project']: project }];
      case 'Query.node':
        return ids.map((id) => ({ id }));
      case 'Query.replay':
        return [1, 2].map((round) => ({ round: globalId('Round', `${raw(project)}/${round}`) }));
      case 'Query.nodes':
        return Array.from({ length: Math.ceil(ids.length / 3) }, (_, i) => ({
          ids: ids.slice(3 * i, 3 * i + 3),
        }));
      case 'Project.sample':
        return [{ key: key(0) }, { key: key(1) }];
      case 'Project.samplesWithKeys':
        return [{ keys: [key(0), 'nobody has this', key(1)] }];
      case 'Project.round':
        return [{ number: 1 }, { number: 2 }];
      case 'Project.trainingSet':
        return [{ first: SAMPLES, provisional: true }, { first: SAMPLES }];
    }
    // All that there are, within what one operation may cost.
    if (args.some(({ name }) => name === 'first')) {
      const first = {
        'Query.projects': 1,
        'Project.annotatorWork': 2,
        'Project.rounds': 2,
        'Project.predictionRuns': 3,
      }[coordinate];
      return [{ first: first ?? SAMPLES }];
    }
    return [{}];
  };
}

// ---------------------------------------------------------------------------------------------------------------
// What is looked for

/** Where the label set as such is told, which everybody in the project may know. */
const LABEL_SET = new Set([
  'Project.labels',
  'ClassAgreement.label',
  'ClassAudit.label',
  'ClassPair.first',
  'ClassPair.second',
  'Advice.text',
  'UnknownLabelError.known',
  'UnknownLabelError.message',
]);
/** Where draws are told of answers counted together, not of a sample. */
const DRAWS_TOGETHER = new Set(['ModelAgreement.draw']);
/** Where one's own answer is, which is no secret. */
const OWN_ANSWER = new Set([
  'Assignment.label',
  'AlreadyAnsweredError.answer',
  'AlreadyAnsweredError.message',
]);
/** Types of which annotators and viewers must never get one. */
const STEERING_ONLY = new Set([
  'Annotation',
  'AnnotatorErrors',
  'Disagreement',
  'GivenAnswer',
  'Ruling',
  'AnnotatorAttention',
  'GoldSample',
  'GoldCandidate',
  'AnnotatorSeries',
  'AnnotatorWork',
  'DriftFigure',
  'PeopleAtWork',
  'WorkStretch',
  'ConsensusEstimate',
  'SampleEstimate',
  'PresentMember',
  'Sample',
  'RoundSample',
  'TrainingExample',
  'Consensus',
]);
const DRAWS = new Set(['AUDIT', 'GOLD', 'EXTRA_OPINION', 'RANDOM', 'REPEAT', 'UNCERTAIN']);

/** What of an answer, error or push somebody must not see, each with its place. */
function leaksTo(who: Who, world: World, reply: Pick<Reply, 'data' | 'errors'>): string[] {
  if (who === 'owner' || who === 'driver') return [];
  const found = leaves(reply.data).flatMap((leaf) => problemsOf(who, world, leaf));
  for (const error of reply.errors) {
    const text = JSON.stringify(error);
    const leaf = { coordinate: 'an error', value: text };
    found.push(
      ...problemsOf(who, world, leaf).filter(
        (problem) => !problem.startsWith('label') || !text.includes('known'),
      ),
    );
  }
  return [...new Set(found)].sort();
}

/** An assignment with a suggestion. */
interface Offer {
  readonly state: unknown;
  readonly suggestion: string;
}

/** Every assignment in an answer that has a suggestion. */
function offersIn(answer: unknown): Offer[] {
  if (typeof answer !== 'object' || answer === null) return [];
  const fields = Object.fromEntries(
    Object.entries(answer).flatMap(([key, value]) => {
      const [type, field = ''] = key.split('__');
      return type === 'Assignment' ? [[field, value]] : [];
    }),
  );
  const { state, suggestion } = fields;
  const own = typeof suggestion === 'string' ? [{ state, suggestion }] : [];
  return [...own, ...Object.values(answer).flatMap(offersIn)];
}

function problemsOf(who: Who, world: World, { coordinate, value }: Leaf): string[] {
  const problems: string[] = [];
  const leak = (what: string) => problems.push(`${what} at ${coordinate}`);
  const isAnnotator = who === 'anna' || who === 'ben';
  if (typeof value === 'number') {
    if (world.secretNumbers.has(value)) leak('score, confidence or seed');
    return problems;
  }
  if (typeof value !== 'string') return problems;
  const text = `${value} ${decoded(value)}`;
  if (text.includes('KEY-')) leak('key');
  if (/\bSample:/.test(text)) leak('sample id');
  for (const secret of world.secretNumbers)
    if (text.includes(String(secret))) leak('score, confidence or seed');
  if (DRAWS.has(value) && !DRAWS_TOGETHER.has(coordinate)) leak('draw');
  if (coordinate.endsWith('.__typename')) {
    if (STEERING_ONLY.has(value)) leak(`a ${value}`);
    if (value === 'PredictionRun' && isAnnotator) leak(`a ${value}`);
    // Whoever is an owner elsewhere gets that of their own.
    if (value === 'GoldState' && (isAnnotator || who === 'viewer')) leak(`a ${value}`);
    if ((value === 'Assignment' || value === 'Queue') && who === 'viewer') leak(`a ${value}`);
  }
  if (!isAnnotator && text.includes('PAYLOAD-')) leak('payload');
  if (!LABEL_SET.has(coordinate)) {
    for (const [of, label] of Object.entries(LABEL)) {
      const isOwn = of === who && OWN_ANSWER.has(coordinate);
      const isOffer = of === 'model' && coordinate === 'Assignment.suggestion' && isAnnotator;
      if (text.includes(label) && !isOwn && !isOffer) leak(`label of ${of}`);
    }
  }
  if (who === 'outsider' || who === 'nobody') {
    for (const secret of [NAME, GUIDELINES, 'label-of', 'Person ', raw(world.project)]) {
      if (text.includes(secret)) leak('the project');
    }
  }
  return problems;
}

/** What an opaque id or cursor says, once decoded. */
function decoded(value: string): string {
  return /^[\w+/=-]{8,}$/.test(value) ? Buffer.from(value, 'base64').toString('latin1') : '';
}

// ---------------------------------------------------------------------------------------------------------------
// Walking

const ROLES: readonly Who[] = ['owner', 'driver', 'anna', 'ben', 'viewer', 'outsider', 'nobody'];
const OUTSIDE: ReadonlySet<Who> = new Set(['outsider', 'nobody']);
const BLIND: readonly Who[] = ['anna', 'ben', 'viewer', 'outsider', 'nobody'];

interface Asked {
  readonly walk: Walk;
  readonly reply: Reply;
  /** What one is answered to whom the project is hidden if it asks the same of one that is not there. */
  readonly missing: Reply | null;
}

async function ask(who: Who, world: World, walk: Walk): Promise<Asked> {
  const reply = await service.ask(world.tokens[who], walk.document, walk.variables);
  for (const { extensions, message } of reply.errors) {
    expect(extensions?.['code'], `${walk.coordinate}: ${message}`).not.toMatch(
      /INTERNAL|GRAPHQL|TOO_COSTLY|TOO_LARGE/,
    );
  }
  const missing = OUTSIDE.has(who)
    ? await service.ask(world.tokens[who], walk.document, elsewhere(world, walk.variables))
    : null;
  return { walk, reply, missing };
}

/** Ids of a project that there is, turned into those of one that there is not. */
function elsewhere<T>(world: World, value: T): T {
  if (typeof value === 'string') {
    const [type, local] = Buffer.from(value, 'base64').toString().split(':');
    if (!local?.includes(raw(world.project))) return value;
    return globalId(type ?? '', local.replace(raw(world.project), 'A'.repeat(22))) as T;
  }
  if (Array.isArray(value)) return value.map((entry) => elsewhere(world, entry)) as T;
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, of]) => [name, elsewhere(world, of)])) as T;
}

/**
 * What everybody is answered. One document after the other: together they are more than the service keeps, and
 * reading them anew for each role took most of the time.
 */
async function askEverybody(roles: readonly Who[], world: World, all: readonly Walk[]) {
  const asked: Record<Who, Asked[]> = {
    owner: [],
    driver: [],
    anna: [],
    ben: [],
    viewer: [],
    outsider: [],
    nobody: [],
  };
  for (const walk of all) {
    for (const who of roles) asked[who].push(await ask(who, world, walk));
  }
  return asked;
}

/** Inputs of every mutation, as somebody would guess them, those of others' ids among them. */
function guesses(world: World): Readonly<Record<string, readonly Variables[]>> {
  const { project, people, held } = world;
  const round = globalId('Round', `${raw(project)}/2`);
  const foreign = [...held.anna, ...held.ben].map(({ id }) => ({ assignment: id }));
  return {
    acceptInvitation: [{ invitationCode: `cci_${'A'.repeat(43)}`, name: 'New' }],
    addMember: [{ project, name: 'New', role: 'VIEWER', kind: 'PERSON' }],
    claim: [
      { project, hold: 4 },
      { project, hold: 0 },
    ],
    closeRound: [{ round }, { round: globalId('Round', `${raw(project)}/3`) }],
    createProject: [{ name: 'New', labels: ['a', 'b'] }],
    endWorkSession: [{ project }],
    eraseSamples: [{ project, samples: [globalId('Sample', `${raw(project)}/0`)], reason: 'OBJECTION' }],
    erasePerson: [{ member: people.ben.id, reason: 'OBJECTION' }],
    expireToken: [{ token: globalId('Token', raw(people.ben.id)), expires: null }],
    importSamples: [{ project, importId: 'import', part: 0, samples: [{ key: key(0), data: 1 }] }],
    invite: [{ project }],
    issueToken: [{ project, member: people.ben.id }],
    openRound: [{ project, strategy: 'random' }],
    publishEmbeddings: [{ project, model: 'm', parts: ['x'] }],
    publishPredictions: [{ project, model: 'm', parts: ['x'] }],
    release: foreign,
    renew: foreign,
    reopenRuling: [{ sample: globalId('Sample', `${raw(project)}/0`), reason: 'r' }],
    revokeToken: [{ token: globalId('Token', raw(people.ben.id)) }],
    revokeTokens: [{ project, member: people.outsider.id }],
    rotateToken: [{ token: globalId('Token', raw(people.ben.id)) }],
    rule: [{ sample: globalId('Sample', `${raw(project)}/0`), label: LABEL.model, reason: 'r' }],
    setGold: [
      { project, answers: [{ sample: globalId('Sample', `${raw(project)}/0`), label: LABEL.model }] },
    ],
    removeGold: [{ project, samples: [globalId('Sample', `${raw(project)}/0`)] }],
    resumeAnnotator: [{ project, member: people.ben.id }],
    setRole: [{ project, member: people.outsider.id, role: null }],
    skip: foreign,
    submit: foreign.flatMap((input) => [
      { ...input, label: LABEL.model },
      { ...input, label: 'unknown' },
    ]),
    undo: foreign,
    updatePolicy: [{ project, policy: { paused: false } }],
    uploadEmbeddings: [{ project, keys: [key(0)], dimensions: 1, embeddings: '' }],
    uploadPredictions: [{ project, keys: [key(0)], classes: 2, probabilities: '' }],
    withdrawInvitation: [{ project, invitation: globalId('Invitation', raw(project)) }],
  };
}

function mutationsOf(world: World): readonly Walk[] {
  const inputs = guesses(world);
  return walks('mutation', (coordinate, args) => {
    if (!coordinate.startsWith('Mutation.')) return world.args(coordinate, args);
    return (inputs[coordinate.slice('Mutation.'.length)] ?? []).map((input) => ({ input }));
  });
}

/** Once is enough for the compiled operations: they go through the same resolvers. */
const MODES = process.env['CONCORD_TEST_COMPILE']
  ? (['SHOWN'] as const)
  : (['AFTER_FIRST_ANSWER', 'SHOWN'] as const);

describe.each(MODES)('with suggestions %s', (suggestions) => {
  let world: World;
  let queried: Record<Who, Asked[]>;

  beforeAll(async () => {
    world = await seed(suggestions);
    queried = await askEverybody(ROLES, world, walks('query', world.args));
  });

  it('the detector finds every kind of leak in what a driver sees', () => {
    const found = new Set<string>();
    for (const { reply } of queried.driver) {
      for (const leak of leaksTo('anna', world, reply)) found.add(leak);
    }
    for (const leak of [
      'key at Sample.key',
      'sample id at Sample.id',
      'label of ben at Consensus.label',
      'label of ben at Annotation.label',
      'draw at Annotation.draw',
      'label of ben at TrainingExample.label',
      'label of model at Sample.predicted',
      'score, confidence or seed at Sample.confidence',
      'score, confidence or seed at RoundSample.score',
      'score, confidence or seed at Round.seed',
      'draw at RoundSample.draw',
      'draw at TrainingExample.draw',
      'a Sample at ProjectSamplesConnectionEdge.node.__typename',
      'a PredictionRun at Project.predictionRun.__typename',
    ]) {
      expect([...found]).toContain(leak);
    }
    // And in errors, and in what is only encoded.
    const error = { message: `There is a sample ${key(3)} already.`, extensions: { confidence: 0 } };
    expect(leaksTo('anna', world, { data: null, errors: [error] })).toEqual(['key at an error']);
    const cursor = Buffer.from(`Sample:${raw(world.project)}/7`).toString('base64url');
    expect(leaksTo('anna', world, { data: { Edge__cursor__0: cursor }, errors: [] })).toHaveLength(1);
  });

  it('the walk reaches every field that queries, mutations and subscriptions have', () => {
    const walked = new Set([
      ...reachable('query', world.args),
      ...reachable('subscription', world.args),
      ...mutationsOf(world).flatMap(({ document }) =>
        [...document.matchAll(/\b([A-Za-z]+)__([A-Za-z]+)__\d+:/g)].map(
          ([, type, field]) => `${type}.${field}`,
        ),
      ),
    ]);
    const all = Object.values(schema.getTypeMap())
      .filter((type) => !type.name.startsWith('__') && !isInputObjectType(type) && 'getFields' in type)
      // What is behind an interface is walked as what it is; a bad cursor is only ever an entry of `errors`.
      .filter((type) => !['Activity', 'Node', 'Error', 'BadCursorError'].includes(type.name))
      .flatMap((type) =>
        'getFields' in type ? Object.keys(type.getFields()).map((name) => `${type.name}.${name}`) : [],
      );
    expect(all.filter((coordinate) => !walked.has(coordinate))).toEqual([]);
  });

  it.each(ROLES)('%s sees in queries what the role may see', (who) => {
    const leaks = new Set<string>();
    const offers: Offer[] = [];
    let values = 0;
    for (const { reply } of queried[who]) {
      values += leaves(reply.data).length;
      for (const leak of leaksTo(who, world, reply)) leaks.add(leak);
      offers.push(...offersIn(reply.data));
    }
    expect([...leaks]).toEqual([]);
    if (suggestions === 'AFTER_FIRST_ANSWER' && (who === 'anna' || who === 'ben')) {
      expect(offers.filter(({ state }) => state === 'SUBMITTED').length).toBeGreaterThan(0);
      expect(offers.filter(({ state }) => state !== 'SUBMITTED')).toEqual([]);
    }
    // So that the test does not pass by seeing nothing.
    if (who !== 'nobody') expect(values).toBeGreaterThan(who === 'outsider' ? 20 : 100);
  });

  it.each(BLIND)('%s sees in streams what the role may see', async (who) => {
    const readers: Reader[] = [];
    const token = world.tokens[who];
    for (const { document, variables } of walks('subscription', world.args)) {
      readers.push(overEvents(service, token, document, variables));
      if (token !== null) readers.push(overWebSocket(service, token, document, variables));
    }
    const pushes: Push[] = [];
    for (const reader of readers) {
      const first = await reader.next();
      if (first) pushes.push(first);
    }
    await work(world.project, world.people, 1);
    pushes.push(...(await Promise.all(readers.map((reader) => reader.drain(60)))).flat());
    for (const reader of readers) await reader.close();
    expect(pushes.flatMap((push) => leaksTo(who, world, push))).toEqual([]);
    const early = pushes.flatMap(({ data }) => offersIn(data)).filter(({ state }) => state !== 'SUBMITTED');
    if (suggestions === 'AFTER_FIRST_ANSWER') expect(early).toEqual([]);
    // The strategies are the service's, and no project's: whoever has a token may know them.
    const values = pushes
      .flatMap(({ data }) => leaves(data))
      .filter(({ coordinate }) => !/^Strategy\.|^Subscription\.strategies\b/.test(coordinate)).length;
    if (who === 'outsider' || who === 'nobody') expect(values).toBe(0);
    else expect(values).toBeGreaterThan(100);
  });

  it.each([...OUTSIDE])('to %s streams of what is there look like those of what is not', async (who) => {
    for (const { coordinate, document, variables } of walks('subscription', world.args)) {
      if (coordinate === 'Subscription.strategies') continue;
      const answers = [];
      for (const given of [variables, elsewhere(world, variables)]) {
        const reader = overEvents(service, world.tokens[who], document, given);
        // To whom nothing is shown, a stream says so and ends.
        answers.push([await reader.next(), await reader.next()]);
        await reader.close();
      }
      expect(answers[0]).toEqual(answers[1]);
    }
  });

  describe('and by mutations', () => {
    let mutated: Record<Who, Asked[]>;

    beforeAll(async () => {
      mutated = await askEverybody(BLIND, world, mutationsOf(world));
    });

    it.each(BLIND)('%s learns nothing', (who) => {
      const leaks = new Set<string>();
      for (const { walk, reply } of mutated[who]) {
        for (const leak of leaksTo(who, world, reply)) {
          // Their own guess, kept as their answer, is no news to them.
          if (leak.startsWith('label of model') && OWN_ANSWER.has(leak.split(' at ')[1] ?? '')) continue;
          leaks.add(`${leak} of ${walk.coordinate}`);
        }
      }
      expect([...leaks]).toEqual([]);
    });

    it.each([...OUTSIDE])('to %s what is there looks like what is not', (who) => {
      for (const { walk, reply, missing } of [...queried[who], ...mutated[who]]) {
        if (/createProject/.test(walk.coordinate)) continue;
        expect(reply.data, walk.coordinate).toEqual(missing?.data);
        expect(reply.errors, walk.coordinate).toEqual(missing?.errors);
        expect(reply.status).toBe(missing?.status);
      }
    });
  });
});

describe('what annotators could put together', () => {
  it('the answer to an audit moves every counter like any other', async () => {
    const world = await quietWorld();
    const { project, anna } = world;
    const steps: { readonly isAudit: boolean; readonly step: string }[] = [];
    for (let next = await nextOf(anna, project); next; next = await nextOf(anna, project)) {
      const before = await countersOf(anna, project);
      await submit(service, anna, next.id, LABEL.anna);
      const after = await countersOf(anna, project);
      const step = before.map((value, i) => (after[i] ?? 0) - value).join();
      steps.push({ isAudit: world.isAudit(next.data), step });
    }
    expect(steps.filter(({ isAudit }) => isAudit).length).toBeGreaterThan(0);
    // The last one closes the round, which then counts as whole.
    const last = steps.pop();
    expect(last?.isAudit).toBe(false);
    expect(new Set(steps.map(({ step }) => step)).size).toBe(1);
  });

  it('an audit comes at the place at which it was announced', async () => {
    const { project, anna } = await quietWorld();
    const rankOf = await ranksTo(anna, project);
    const ranks: number[] = [];
    for (let next = await nextOf(anna, project); next; next = await nextOf(anna, project)) {
      ranks.push(rankOf(next.data));
      await submit(service, anna, next.id, LABEL.anna);
    }
    expect(ranks).toEqual([...ranks].sort((a, b) => a - b));
  });

  it('an audit that was not announced does not come', async () => {
    const { project, anna } = await quietWorld(3);
    for (let round = 1; round <= 4; round++) {
      const rankOf = await ranksTo(anna, project);
      for (let next = await nextOf(anna, project); next; next = await nextOf(anna, project)) {
        expect(rankOf(next.data)).toBeGreaterThanOrEqual(0);
        await submit(service, anna, next.id, LABEL.anna);
      }
      await openRound(service, project, { strategy: 'hybrid', parameters: { share: 0.3 }, size: 3 });
    }
  });

  it('priorities tell nothing of draws', async () => {
    const { project, anna } = await quietWorld();
    const priorities = (await announcedTo(anna, project)).map(({ priority }) => priority);
    expect(new Set(priorities)).toEqual(new Set(['HIGH', 'MEDIUM']));
    // By score the HIGH come first: one that stands elsewhere would be of another draw.
    expect(priorities).toEqual([...priorities].sort());
  });
});

interface Announced {
  readonly rank: number;
  readonly priority: string;
  readonly data: unknown;
}

/** A round in which one annotator works alone, each sample needs one answer, and some audits are pending. */
async function quietWorld(size = 20) {
  const project = await createProject(service, {
    labels: LABELS,
    policy: {
      overlapShare: 0,
      autoAcceptThreshold: 0.9,
      auditShare: 0.5,
      workSessionMinutes: 0,
      priorityThreshold: 0.93,
    },
  });
  const anna = await addMember(service, project, 'ANNOTATOR');
  await importSamples(
    service,
    project,
    Array.from({ length: SAMPLES }, (_, i) => ({ key: key(i), data: { text: payload(i) } })),
  );
  const predictions = Object.fromEntries(
    Array.from({ length: SAMPLES }, (_, i) => [key(i), distribution(i)]),
  );
  await publish(service, project, predictions);
  await openRound(service, project, { strategy: 'hybrid', parameters: { share: 0.3 }, size });
  const { project: seen } = await service.query<{ project: Drawn }>(service.ownerToken, DRAWN, {
    id: project,
  });
  const announced = seen.openRound.samples.edges.map(({ node }) => node);
  const chosen = new Set(
    announced.filter(({ draw }) => draw !== 'AUDIT').map(({ sample }) => sample.data.text),
  );
  return { project, anna, isAudit: (data: unknown) => !chosen.has((data as { text: string }).text) };
}

interface Drawn {
  readonly openRound: {
    readonly samples: {
      readonly edges: readonly { readonly node: { draw: string; sample: { data: { text: string } } } }[];
    };
  };
}
const DRAWN = `query Drawn($id: ID!) { project(id: $id) {
  openRound { samples(first: 500) { edges { node { draw sample { data } } } } } } }`;

async function announcedTo(person: Person, project: string): Promise<readonly Announced[]> {
  const document = `subscription Feed($project: ID!) { prioritized(project: $project) {
    ... on PrioritizedSamples { samples { rank priority data } } } }`;
  const reader = overWebSocket(service, person.token, document, { project });
  const push = (await reader.next())?.data as { prioritized: { samples: readonly Announced[] } };
  await reader.close();
  return push.prioritized.samples;
}

/** Gives the rank at which something was announced to somebody, or -1. */
async function ranksTo(person: Person, project: string): Promise<(data: unknown) => number> {
  const announced = await announcedTo(person, project);
  const ranks = new Map(announced.map(({ data, rank }) => [JSON.stringify(data), rank]));
  return (data) => ranks.get(JSON.stringify(data)) ?? -1;
}

async function nextOf(person: Person, project: string): Promise<Assignment | undefined> {
  return (await claim(service, person, project)).assignments[0];
}

/** What an annotator can count, but for their own answers and the number of the commit. */
async function countersOf(person: Person, project: string): Promise<number[]> {
  const document = `query Counters($id: ID!) { project(id: $id) {
    progress { labelled answers round { settled } } queue { answers } } }`;
  const answer = await service.query<{
    project: {
      progress: { labelled: number; answers: number; round: { settled: number } };
      queue: { answers: number };
    };
  }>(person.token, document, { id: project });
  const { progress, queue } = answer.project;
  return [progress.labelled, progress.answers, progress.round.settled, queue.answers];
}

/** A global id, as a client could make one up. */
function globalId(type: string, local: string): string {
  return Buffer.from(`${type}:${local}`).toString('base64');
}

/** What a global id says within its type. */
function raw(id: string): string {
  return Buffer.from(id, 'base64').toString().split(':').slice(1).join(':');
}
