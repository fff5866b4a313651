import { connectDriver, type Driver, type DriverProject, type GoldState } from '@concord/sdk/driver';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { addMember, claim, createProject, openRound, type Person, submit } from '../support/project.ts';
import { type Service, startService } from '../support/service.ts';

const SAMPLES = 400;
const GOLD = 60;

let service: Service;
let driver: Driver;
let id: string;
let project: DriverProject;
let careless: Person;

beforeAll(async () => {
  service = await startService();
  driver = connectDriver({ url: `${service.url}/graphql`, token: service.ownerToken });
  id = await createProject(service, {
    labels: ['ham', 'spam'],
    preset: 'PRE_ANNOTATE',
    policy: { goldShare: 0.1, goldLimit: 0.7, workSessionMinutes: 0, suggestions: 'HIDDEN' },
  });
  project = await driver.project(id);
  careless = await addMember(service, id, 'ANNOTATOR', { name: 'careless' });
  await project.importSamples(
    Array.from({ length: SAMPLES }, (_, i) => ({
      key: `k${i}`,
      data: i,
      ...(i < GOLD && { groundTruth: 'spam' }),
    })),
  );
});
afterAll(async () => {
  driver.client.close();
  await service.close();
});

describe('gold', () => {
  it('comes with an import, and pauses who is careless, which owners are told at once', async () => {
    const states: GoldState[] = [];
    const told = (async () => {
      for await (const state of project.watchGold()) {
        states.push(state);
        if (state.annotators[0]?.pausedAt != null) return;
      }
    })();
    let reason: string | undefined;
    for (let i = 0; i < SAMPLES && reason === undefined; i++) {
      const { assignments, empty } = await claim(service, careless, id);
      reason = empty?.reason;
      for (const assignment of assignments) await submit(service, careless, assignment.id, 'ham');
    }
    expect(reason).toBe('ANNOTATOR_PAUSED');
    await told;
    expect(states[0]).toMatchObject({ samples: GOLD });
    const [paused] = states.at(-1)?.annotators ?? [];
    expect(paused).toMatchObject({ member: { name: 'careless' }, correct: 0, low: false });
    expect(paused?.bounds.upper).toBeLessThan(0.7);
    expect(paused?.left).toBe(GOLD - (paused?.answers ?? 0));

    const events = [];
    for await (const push of project.followActivity()) {
      if (push.__typename === 'ActivityEvents') events.push(...push.events);
      if (events.some(({ __typename }) => __typename === 'AnnotatorPaused')) break;
    }
    expect(events).toMatchObject(
      expect.arrayContaining([
        expect.objectContaining({ __typename: 'GoldSet', samples: GOLD, origin: 'IMPORT' }),
        expect.objectContaining({ __typename: 'AnnotatorPaused', correct: 0, limit: 0.7 }),
      ]),
    );
  });

  it('lets them go on when an owner says so', async () => {
    const { annotators } = await project.resumeAnnotator(careless);
    expect(annotators[0]).toMatchObject({ pausedAt: null, judgedAnswers: 0 });
    expect((await claim(service, careless, id)).assignments).toHaveLength(1);
    expect((await project.report()).report).toMatchObject({
      attention: { samples: GOLD, correct: 0, paused: 0 },
    });
  });

  it('is listed with how people answered it, is set and taken out, and is learnt from', async () => {
    const listed = [];
    for await (const gold of project.goldSamples()) listed.push(gold);
    expect(listed).toHaveLength(GOLD);
    expect(listed.reduce((sum, { answers }) => sum + answers, 0)).toBeGreaterThan(2);
    const [first] = listed;
    if (first === undefined) throw new Error('there is gold');
    expect(await project.removeGold([first.sample])).toMatchObject({ samples: GOLD - 1 });
    const again = [{ sample: first.sample, label: 'ham' }];
    expect(await project.setGold(again)).toMatchObject({ samples: GOLD });
    await expect(project.setGold(again.map((one) => ({ ...one, label: 'eggs' })))).rejects.toThrow(/eggs/);
    let known = 0;
    for await (const { source } of project.trainingSet()) known += Number(source === 'GOLD');
    expect(known).toBe(GOLD);
  });

  it('has places in a round of which annotators are told rank and priority, and of nothing the data', async () => {
    await openRound(service, id, { strategy: 'random', size: 40 });
    const follow = async (token: string) => {
      const other = connectDriver({ url: `${service.url}/graphql`, token });
      for await (const push of other.client.followPrioritized({ project: id })) {
        other.client.close();
        if (push.__typename === 'PrioritizedSamples') return push.samples;
      }
      throw new Error('nothing came');
    };
    const seen = await follow(careless.token);
    expect(seen.length).toBeGreaterThan(40);
    expect(seen.every(({ data, draw, sample }) => data === null && draw === null && sample === null)).toBe(
      true,
    );
    expect(new Set(seen.map(({ priority }) => priority)).size).toBeGreaterThan(0);
    const steered = await follow(service.ownerToken);
    const gold = steered.filter(({ draw }) => draw === 'GOLD');
    expect(gold.length).toBe(seen.length - 40);
    expect(gold.every(({ sample }) => sample === null)).toBe(true);
    expect(steered.filter(({ sample }) => sample !== null)).toHaveLength(40);
  });
});
