import { connectDriver, type Driver, type DriverProject, ForbiddenError } from '@concord/sdk/driver';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  addMember,
  claim,
  createProject,
  importSamples,
  must,
  type Person,
  submit,
} from '../support/project.ts';
import { type Service, startService, type Variables } from '../support/service.ts';

const LABELS = ['sick', 'well'];
const SAMPLES = 24;
/** Two in three are well. */
const truth = (i: number) => LABELS[Math.min(1, i % 3)] as string;

let service: Service;
let driver: Driver;
const opened: Driver[] = [];

beforeAll(async () => {
  service = await startService();
  driver = driverWith(service.ownerToken);
});
afterAll(async () => {
  for (const one of opened) one.client.close();
  await service.close();
});

function driverWith(token: string): Driver {
  const one = connectDriver({ url: `${service.url}/graphql`, token });
  opened.push(one);
  return one;
}

/** What somebody says of a sample. */
type Says = (sample: number) => string;
const right: Says = truth;
const wrong: Says = (i) => (truth(i) === 'sick' ? 'well' : 'sick');

interface World {
  readonly id: string;
  readonly people: readonly Person[];
  readonly project: DriverProject;
}

/** A project whose samples so many people have labelled as they say. */
async function labelled(says: readonly Says[], policy: Variables = {}): Promise<World> {
  const id = await createProject(service, {
    labels: LABELS,
    preset: 'PRE_ANNOTATE',
    policy: { overlap: 2, overlapShare: 1, workSessionMinutes: 0, suggestions: 'HIDDEN', ...policy },
  });
  const samples = Array.from({ length: SAMPLES }, (_, i) => ({ key: `k${i}`, data: i }));
  await importSamples(service, id, samples);
  const people: Person[] = [];
  for (const say of says) {
    const person = await addMember(service, id, 'ANNOTATOR', { name: `person ${people.length}` });
    people.push(person);
    await answer(id, person, say);
  }
  return { id, people, project: await driver.project(id) };
}

async function answer(id: string, person: Person, say: Says, most = SAMPLES): Promise<void> {
  const { assignments } = await claim(service, person, id, most);
  for (const { id: assignment, data } of assignments)
    await submit(service, person, assignment, say(data as number));
}

async function trainingSet(project: DriverProject) {
  const examples = [];
  for await (const example of project.trainingSet()) examples.push(example);
  return examples;
}

async function goldCandidates(project: DriverProject) {
  const candidates = [];
  for await (const candidate of project.goldCandidates()) candidates.push(candidate);
  return candidates;
}

describe('consensus by Dawid and Skene', () => {
  it('says how likely classes are and how everybody errs, from which answers, and takes the training set', async () => {
    // Of four people, two answer half of the samples each, and the last one is mostly wrong.
    const half = (part: number, say: Says) => async (id: string, person: Person) => {
      const { assignments } = await claim(service, person, id, 100);
      for (const { id: assignment, data } of assignments) {
        if ((data as number) % 2 === part) await submit(service, person, assignment, say(data as number));
        else await must(service, person.token, 'release', { assignment }, '... on Assignment { id }');
      }
    };
    const { id, project } = await labelled([], { overlap: 4 });
    for (const say of [right, right, right, wrong]) {
      const person = await addMember(service, id, 'ANNOTATOR');
      if (say === wrong) await half(0, say)(id, person);
      else await answer(id, person, say);
    }
    const estimate = await project.consensusEstimate();
    const answers = 3 * SAMPLES + SAMPLES / 2;
    expect(estimate).toMatchObject({ answers, samples: SAMPLES, converged: true });
    const errors = [];
    for await (const one of project.annotatorErrors()) errors.push(one);
    expect(errors.map(({ answers: own }) => own)).toEqual([SAMPLES, SAMPLES, SAMPLES, SAMPLES / 2]);
    for (const { accuracy, confusion } of errors.slice(0, 3)) {
      expect(accuracy).toBeGreaterThan(0.95);
      for (const row of confusion) expect(row.reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 5);
    }
    // Who is wrong when the sample is sick says that it is well.
    expect(errors[3]?.accuracy).toBeLessThan(0.3);
    expect(errors[3]?.confusion[0]?.[1]).toBeGreaterThan(0.7);
    expect(errors[3]?.seq).toBe(estimate.seq);

    // The majority is what the policy takes until it says otherwise.
    const byMajority = await trainingSet(project);
    expect(byMajority.map(({ confidence, of }) => confidence === 1 || of === 4)).not.toContain(false);
    expect(byMajority.every(({ estimatedAt }) => estimatedAt === null)).toBe(true);
    // Gold may be made of what all say the same of, and then of what is sure though somebody has said otherwise.
    const unanimous = await goldCandidates(project);
    expect(unanimous).toHaveLength(SAMPLES / 2);
    expect(unanimous.every(({ votes, of, confidence }) => votes === of && confidence === 1)).toBe(true);
    await updatePolicy(id, { consensus: 'DAWID_SKENE' });
    const sure = await goldCandidates(project);
    expect(sure.length).toBeGreaterThan(SAMPLES / 2);
    expect(sure.map(({ votes, of }) => votes / of)).toContain(0.75);
    for (const { confidence, sample, label } of sure) {
      expect(confidence).toBeGreaterThanOrEqual(0.99);
      expect(label).toBe(truth(sample.data as number));
    }
    const estimated = await trainingSet(project);
    expect(estimated.map(({ label }) => label)).toEqual(byMajority.map(({ label }) => label));
    // Where one of four has said otherwise, that one is known to err: it is surer than the share of votes.
    expect(estimated.map(({ votes, of }) => votes / of)).toContain(0.75);
    for (const { confidence, estimatedAt } of estimated) {
      expect(confidence).toBeGreaterThan(0.95);
      expect(estimatedAt).toBeGreaterThanOrEqual(estimate.seq);
    }
  });

  it('decides ties that the majority leaves open, and follows new answers', async () => {
    // Everybody labels with everybody; the last is always wrong, so that each of their samples is a tie.
    const { id, people, project } = await labelled([]);
    const crew = await Promise.all([0, 1, 2].map(() => addMember(service, id, 'ANNOTATOR')));
    const says = [right, right, wrong];
    for (let turn = 0; turn < SAMPLES; turn++) {
      for (const [i, person] of crew.entries()) await answer(id, person, says[i] as Says, 1);
    }
    expect(people).toEqual([]);
    const open = await trainingSet(project);
    expect(open.length).toBeLessThan(SAMPLES / 2);
    await updatePolicy(id, { consensus: 'DAWID_SKENE' });
    const decided = await trainingSet(project);
    expect(decided).toHaveLength(SAMPLES);
    expect(decided.every(({ label, sample }) => label === truth(sample.data as number))).toBe(true);
    const before = await project.consensusEstimate();
    expect(await project.consensusEstimate()).toEqual(before);

    await importSamples(service, id, [{ key: 'new', data: 0 }], { importId: 'second' });
    // What was not answered changes no answer: the estimate is the same, and stands at the newest commit.
    const moved = await project.consensusEstimate();
    expect(moved).toEqual({ ...before, seq: before.seq + 1 });
    await answer(id, crew[0] as Person, right, 1);
    expect(await project.consensusEstimate()).toMatchObject({
      answers: 2 * SAMPLES + 1,
      samples: SAMPLES + 1,
    });
    const { estimate } = await sample(service.ownerToken, id, 'new');
    expect(estimate).toMatchObject({ label: 'sick' });
    expect(estimate?.classes.reduce((sum, { probability }) => sum + probability, 0)).toBeCloseTo(1, 2);
  });

  it('is undefined while nobody can be held against anybody, and the majority stands in', async () => {
    const { project } = await labelled([right], { overlap: 1, consensus: 'DAWID_SKENE' });
    expect(await project.consensusEstimate()).toMatchObject({ reason: 'FEWER_THAN_TWO_ANNOTATORS' });
    const examples = await trainingSet(project);
    expect(examples).toHaveLength(SAMPLES);
    expect(examples.every(({ confidence, estimatedAt }) => confidence === 1 && estimatedAt === null)).toBe(
      true,
    );
    for await (const _ of project.annotatorErrors()) expect.fail('there is no estimate');

    const alone = await labelled([], { overlap: 1 });
    const crew = await Promise.all([0, 1].map(() => addMember(service, alone.id, 'ANNOTATOR')));
    for (const person of crew) await answer(alone.id, person, right, SAMPLES / 2);
    const reason = 'NO_JOINTLY_LABELLED_SAMPLE';
    expect(await alone.project.consensusEstimate()).toMatchObject({ reason, answers: SAMPLES });
  });

  it('tells of people to owners alone, and of samples to those who steer', async () => {
    const { id, people } = await labelled([right, right]);
    const tool = await addMember(service, id, 'DRIVER');
    const project = await driverWith(tool.token).project(id);
    await expect(project.consensusEstimate()).rejects.toThrow(ForbiddenError);
    await expect(project.annotatorErrors()[Symbol.asyncIterator]().next()).rejects.toMatchObject({
      allowed: ['OWNER'],
    });
    expect((await sample(tool.token, id, 'k0')).estimate).toMatchObject({ label: truth(0) });
    expect(await sample(people[0]?.token ?? '', id, 'k0')).toBeNull();
  });
});

function updatePolicy(project: string, policy: Variables) {
  return must(service, service.ownerToken, 'updatePolicy', { project, policy }, '... on Project { id }');
}

interface Sample {
  readonly estimate: {
    readonly label: string;
    readonly classes: readonly { readonly label: string; readonly probability: number }[];
  } | null;
}

async function sample(token: string, id: string, key: string): Promise<Sample> {
  const document = `query S($id: ID!, $key: String!) { project(id: $id) { sample(key: $key) {
    estimate { label confidence seq classes { label probability } } } } }`;
  const answer = await service.query<{ project: { sample: Sample } }>(token, document, { id, key });
  return answer.project.sample;
}
