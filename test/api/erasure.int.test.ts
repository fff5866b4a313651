import { type Client, createClient } from '@concord/sdk/client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { addMember, claim, createProject, importSamples, type Person, submit } from '../support/project.ts';
import { type Service, startService } from '../support/service.ts';
import { overWebSocket } from '../support/streams.ts';

let service: Service;
let project: string;
let client: Client;
let ann: Person;
let ben: Person;

beforeAll(async () => {
  service = await startService();
  client = createClient({ url: `${service.url}/graphql`, token: service.ownerToken });
  project = await createProject(service, { policy: { overlap: 2, overlapShare: 1, withoutRound: 'POOL' } });
  const samples = Array.from({ length: 6 }, (_, n) => ({ key: `sample ${n}`, data: { text: `text ${n}` } }));
  await importSamples(service, project, samples);
  ann = await addMember(service, project, 'ANNOTATOR', { name: 'Ann Onymous' });
  ben = await addMember(service, project, 'ANNOTATOR', { name: 'Ben' });
  for (const [i, person] of [ann, ben].entries()) {
    const { assignments } = await claim(service, person, project, 5);
    for (const [n, { id }] of assignments.entries())
      await submit(service, person, id, (n + i) % 3 === 0 ? 'spam' : 'ham');
  }
});
afterAll(async () => {
  client?.close();
  await service?.close();
});

/** Every figure that people and their answers come to. */
async function figures() {
  return {
    progress: await client.progress({ project }),
    agreement: await client.agreement({ project }),
    pairs: await client.agreementPairs({ project, first: 10 }),
    estimate: await client.consensusEstimate({ project }),
    work: await client.annotatorWork({ project }),
    samples: await client.annotatedSamples({ project, first: 10 }),
    report: await client.report({ project }),
  };
}

/** The same without what tells who somebody was. */
function withoutNames(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value), (key, field) =>
    key === 'name' || key === 'erasedAt' ? undefined : field,
  );
}

describe('a person who is erased', () => {
  it('has no name any more, and every figure is what it was, under their id', async () => {
    const before = await figures();
    expect(JSON.stringify(before)).toContain('Ann Onymous');
    const stream = overWebSocket(
      service,
      ann.token,
      'subscription ($p: ID!) { progress(project: $p) { seq } }',
      {
        p: project,
      },
    );
    await stream.next();

    const erased = await client.erasePerson({ member: ann.id, reason: 'CONSENT_WITHDRAWN' });
    expect(erased).toMatchObject({ id: ann.id, name: null, erasedAt: expect.any(String) });
    expect(await client.erasePerson({ member: ann.id, reason: 'OBJECTION' })).toEqual(erased);
    const after = await figures();
    expect(JSON.stringify(after)).not.toContain('Onymous');
    expect(withoutNames(after)).toEqual(withoutNames(before));
    expect(JSON.stringify(after)).toContain(ann.id);

    expect((await service.ask(ann.token, '{ viewer { id } }')).status).toBe(401);
    await expect(stream.next()).rejects.toMatchObject({ code: 4403 });
  });

  it('is told of in the activity of the project, with who did it and why', async () => {
    for await (const push of client.followActivity({ project, after: null })) {
      if (push.__typename === 'FeedReset') continue;
      expect(push.events).toMatchObject(
        expect.arrayContaining([
          expect.objectContaining({
            __typename: 'PersonErased',
            grounds: 'CONSENT_WITHDRAWN',
            member: expect.objectContaining({ id: ann.id, name: null }),
          }),
        ]),
      );
      break;
    }
    expect(JSON.stringify(await client.members({ project, first: 10 }))).not.toContain(ann.id);
  });

  it('may be erased by owners of all their projects alone', async () => {
    const asBen = createClient({ url: `${service.url}/graphql`, token: ben.token });
    const driver = await addMember(service, project, 'DRIVER');
    const input = { member: driver.id, reason: 'OBJECTION' } as const;
    await expect(asBen.erasePerson(input)).rejects.toMatchObject({ code: 'FORBIDDEN' });
    asBen.close();
    await client.erasePerson(input);
  });
});

describe('samples that are erased', () => {
  it('hold nothing any more, and every figure is what it was', async () => {
    const cy = await addMember(service, project, 'ANNOTATOR', { name: 'Cy' });
    const { assignments } = await claim(service, cy, project, 1);
    const before = await figures();
    const page = await client.annotatedSamples({ project, first: 10 });
    const samples = (page?.edges ?? []).map(({ node }) => node.id).slice(0, 5);
    const input = { project, samples, reason: 'CONSENT_WITHDRAWN' } as const;
    expect(await client.eraseSamples(input)).toEqual({ count: 5 });
    expect(await client.eraseSamples(input)).toEqual({ count: 0 });
    const after = await figures();
    for (const figure of ['agreement', 'pairs', 'estimate'] as const)
      expect(withoutSeq(after[figure])).toEqual(withoutSeq(before[figure]));
    expect(after.progress).toMatchObject({
      labelled: before.progress?.labelled,
      answers: before.progress?.answers,
    });
    const held = JSON.stringify(after.samples);
    for (let n = 0; n < 5; n++) expect(held).not.toContain(`text ${n}`);
    expect(held).toContain('text 5');
    expect((await client.trainingSet({ project, first: 10 }))?.edges).toEqual([]);
    // What is left is asked, and nothing else.
    const next = await claim(service, cy, project, 10);
    expect(next.assignments.map(({ data }) => data)).toEqual([{ text: 'text 5' }]);
    expect(assignments).toHaveLength(1);
  });
});

function withoutSeq(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value), (key, field) => (key === 'seq' ? undefined : field));
}
