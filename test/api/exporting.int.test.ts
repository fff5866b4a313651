import { connectDriver, type Driver, type DriverProject, ForbiddenError } from '@concord/sdk/driver';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { addMember, claim, createProject, importSamples, type Person, submit } from '../support/project.ts';
import { type Service, startService } from '../support/service.ts';

const LABELS = ['ham', 'spam'];
const SAMPLES = 700;

let service: Service;
let driver: Driver;
let project: DriverProject;
const people: Person[] = [];

beforeAll(async () => {
  service = await startService();
  driver = connectDriver({ url: `${service.url}/graphql`, token: service.ownerToken });
  const id = await createProject(service, {
    labels: LABELS,
    preset: 'PRE_ANNOTATE',
    policy: { overlap: 2, overlapShare: 1, workSessionMinutes: 0, suggestions: 'AFTER_FIRST_ANSWER' },
  });
  await importSamples(
    service,
    id,
    Array.from({ length: SAMPLES }, (_, i) => ({ key: `"k"\u2028${i}`, data: { text: `line\n${i}`, i } })),
  );
  project = await driver.project(id);
  const probabilities = Float32Array.from({ length: 2 * 50 }, (_, i) => (i % 2 === 0 ? 0.9 : 0.1));
  const numbers = Uint32Array.from({ length: 50 }, (_, i) => i);
  await project.publishPredictions({ model: 'm', numbers, probabilities });
  for (const label of LABELS) {
    const person = await addMember(service, id, 'ANNOTATOR');
    people.push(person);
    const { assignments } = await claim(service, person, id, 10);
    for (const { id: assignment } of assignments) await submit(service, person, assignment, label);
  }
  const { edges } = (await driver.client.samples({ project: id, first: 3 })) ?? { edges: [] };
  const [first, second] = edges.map(({ node }) => node.id);
  await driver.client.rule({ sample: first ?? '', label: 'spam', reason: 'it "sells"' });
  await driver.client.setGold({ project: id, answers: [{ sample: second ?? '', label: 'ham' }] });
});
afterAll(async () => {
  driver.close();
  await service.close();
});

/** The same, by a field a sample. */
async function oneByOne() {
  const found = [];
  for (let after: string | null = null; ; ) {
    const page = await driver.client.annotatedSamples({ project: project.id, first: 500, after });
    if (page === null) throw new Error('the owner may see them');
    found.push(...page.edges.map(({ node }) => node));
    if (!page.pageInfo.hasNextPage) return found;
    after = page.pageInfo.endCursor;
  }
}

describe('an export', () => {
  it('says of every sample what its fields say', async () => {
    const exported = [];
    for await (const { samples } of project.exportPages()) exported.push(...samples);
    const expected = (await oneByOne()).map(({ __typename, id: _, ruling, annotations, ...sample }) => ({
      ...sample,
      ruling: ruling && { ...ruling, by: ruling.by.id },
      annotations: annotations.map(({ member, ...rest }) => ({ annotator: member.id, ...rest })),
    }));
    expect(exported).toEqual(expected);
    expect(exported).toHaveLength(SAMPLES);
    expect(exported.flatMap(({ annotations }) => annotations)).toHaveLength(20);
    expect(exported.flatMap(({ annotations }) => annotations)).toContainEqual(
      expect.objectContaining({ suggestions: 'AFTER_FIRST_ANSWER', firstLabel: 'spam', suggestion: 'ham' }),
    );
    expect(exported[0]).toMatchObject({ ruling: { label: 'spam', reason: 'it "sells"' }, predicted: 'ham' });
    expect(exported[1]).toMatchObject({ gold: 'ham' });
  });

  it('comes in pages, and goes on behind a cursor', async () => {
    const [pages, keys]: [number[], number[]] = [[], []];
    let last = '';
    for await (const { lines, samples, count, cursor } of project.exportPages({ pageSize: 300 })) {
      pages.push(count);
      keys.push(...samples.map(({ number }) => number));
      expect(lines.match(/\n/g)).toHaveLength(count);
      expect(cursor).not.toBe(last);
      last = cursor;
      if (keys.length >= 600) break;
    }
    for await (const { samples } of project.exportPages({ after: last }))
      keys.push(...samples.map(({ number }) => number));
    expect(pages).toEqual([300, 300]);
    expect(keys).toEqual(Array.from({ length: SAMPLES }, (_, i) => i));
    const none = [];
    for await (const page of project.exportPages({ after: btoa(`samples:${SAMPLES - 1}`) })) none.push(page);
    expect(none).toEqual([]);
  });

  it('ends a page behind 2 MiB, however many samples were asked for', async () => {
    const id = await createProject(service, { labels: LABELS, preset: 'PRE_ANNOTATE' });
    const data = 'x'.repeat(900_000);
    for (const part of [0, 1])
      await importSamples(
        service,
        id,
        [0, 1, 2].map((i) => ({ key: `${part} ${i}`, data })),
        { part },
      );
    const large = await driver.project(id);
    const pages: number[] = [];
    for await (const { count } of large.exportPages()) pages.push(count);
    expect(pages).toEqual([3, 3]);
  });

  it('is for owners and drivers, and refuses what is no page', async () => {
    for (const role of ['DRIVER', 'VIEWER'] as const) {
      const { token } = await addMember(service, project.id, role);
      const other = connectDriver({ url: `${service.url}/graphql`, token });
      const opened = await other.project(project.id);
      const first = opened.exportPages()[Symbol.asyncIterator]().next();
      if (role === 'DRIVER') expect((await first).value).toMatchObject({ count: SAMPLES });
      else await expect(first).rejects.toThrow(ForbiddenError);
      other.close();
    }
    const ask = (options: object) => project.exportPages(options)[Symbol.asyncIterator]().next();
    await expect(ask({ pageSize: 2_001 })).rejects.toThrow('2001 is not a whole number from 1 to 2000');
    await expect(ask({ after: 'nonsense' })).rejects.toThrow('cursor');
  });
});
