import { connectDriver, type Driver } from '@concord/sdk/driver';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { addMember, claim, createProject, importSamples, submit } from '../support/project.ts';
import { type Service, startService } from '../support/service.ts';

let service: Service;
let driver: Driver;

beforeAll(async () => {
  service = await startService();
  driver = connectDriver({ url: `${service.url}/graphql`, token: service.ownerToken });
});
afterAll(async () => {
  driver.client.close();
  await service.close();
});

describe('extra opinions', () => {
  it('are asked where two disagree, decide, and stay out of agreement', async () => {
    const id = await createProject(service, {
      preset: 'QUALITY',
      policy: { overlapShare: 1, workSessionMinutes: 0, withoutRound: 'POOL' },
    });
    await importSamples(service, id, [
      { key: 'split', data: 0 },
      { key: 'agreed', data: 1 },
    ]);
    const team = await Promise.all(
      ['ada', 'ben', 'cy'].map((name) => addMember(service, id, 'ANNOTATOR', { name })),
    );
    const [ada, ben, cy] = team as [(typeof team)[0], (typeof team)[0], (typeof team)[0]];
    const says = async (person: typeof ada, label: string) => {
      const { assignments, empty } = await claim(service, person, id);
      const [assignment] = assignments;
      if (assignment !== undefined) await submit(service, person, assignment.id, label);
      return assignment?.data ?? empty?.reason;
    };
    expect(await says(ada, 'spam')).toBe(0);
    expect(await says(ada, 'spam')).toBe(1);
    expect(await says(ben, 'ham')).toBe(0);
    expect(await says(ben, 'spam')).toBe(1);
    const project = await driver.project(id);
    expect(project.info.policy.extraOpinions).toBe(1);
    const before = await project.agreement();
    expect(before.raw).toMatchObject({ n: 2, answers: 4 });
    expect([await says(ada, 'spam'), await says(ben, 'ham')]).toEqual(['ALL_HAD_BY_YOU', 'ALL_HAD_BY_YOU']);

    expect(await says(cy, 'ham')).toBe(0);
    expect(await says(cy, 'ham')).toBe('DONE');
    const { seq: _, ...figures } = await project.agreement();
    expect(before).toMatchObject(figures);
    const examples: Record<string, object> = {};
    for await (const { sample, label, votes, of } of project.trainingSet())
      examples[sample.key] = { label, votes, of };
    expect(examples).toEqual({
      split: { label: 'ham', votes: 2, of: 3 },
      agreed: { label: 'spam', votes: 2, of: 2 },
    });
    for await (const push of driver.client.followActivity({ project: id })) {
      if (push.__typename !== 'ActivityEvents') throw new Error('nothing was lost');
      const asked = push.events.filter((event) => event.__typename === 'OpinionAsked');
      expect(asked).toMatchObject([{ sampleNumber: 0, by: null }]);
      break;
    }
  });
});
