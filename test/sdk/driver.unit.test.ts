import {
  BadEmbeddingsError,
  BadProbabilitiesError,
  DuplicateKeysError,
  InvalidInputError,
  PartOutOfOrderError,
  type Project,
  type Round,
  WrongClassCountError,
} from '@concord/sdk/client';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { base64 } from '../../sdk/src/driver/bytes.ts';
import { driverProject } from '../../sdk/src/driver/project.ts';
import { type Answerer, fakeClient } from './fakeTransport.ts';

const info = { id: 'p', labels: ['ham', 'spam', 'other'] } as unknown as Project;

function projectOn(answerers: Readonly<Record<string, Answerer>>) {
  const { client, calls } = fakeClient(answerers);
  return { project: driverProject(client, info), calls };
}

function floats(text: string): number[] {
  return [...new Float32Array(Uint8Array.from(Buffer.from(text, 'base64')).buffer)];
}

afterEach(() => vi.unstubAllGlobals());

describe('base64', () => {
  const numbers = Float32Array.from({ length: 20_001 }, (_, i) => Math.sin(i));
  const expected = Buffer.from(numbers.buffer).toString('base64');

  it('is of the little-endian bytes, also of a view', () => {
    expect(base64(numbers)).toBe(expected);
    expect(floats(base64(numbers.subarray(3, 5)))).toEqual([...numbers.subarray(3, 5)]);
    expect(base64(Uint32Array.of(1, 258))).toBe('AQAAAAIBAAA=');
  });

  it('is the same where there is no Buffer, as in a browser', () => {
    vi.stubGlobal('Buffer', undefined);
    expect(base64(numbers)).toBe(expected);
  });
});

describe('an import', () => {
  const samples = Array.from({ length: 7 }, (_, i) => ({ key: `k${i}`, data: { n: i } }));
  const ImportSamples: Answerer = ({ part, samples: given }) => ({
    first: Number(part) * 3,
    count: (given as unknown[]).length,
  });

  it('goes in parts, in order', async () => {
    const { project, calls } = projectOn({ ImportSamples });
    const onProgress = vi.fn();
    const imported = await project.importSamples(samples, { importId: 'i', partSize: 3, onProgress });
    expect(imported).toEqual({
      importId: 'i',
      samples: 7,
      parts: 3,
      ranges: [
        { first: 0, count: 3 },
        { first: 3, count: 3 },
        { first: 6, count: 1 },
      ],
    });
    expect(calls['ImportSamples']?.map(({ importId, part }) => [importId, part])).toEqual([
      ['i', 0],
      ['i', 1],
      ['i', 2],
    ]);
    expect(calls['ImportSamples']?.flatMap((input) => input['samples'])).toEqual(samples);
    expect(onProgress.mock.calls.map(([{ samples: count }]) => count)).toEqual([3, 6, 7]);
  });

  it('takes what comes bit by bit, and cuts parts that grow large', async () => {
    async function* large() {
      for (let i = 0; i < 5; i++) yield { key: `k${i}`, data: 'x'.repeat(1_500_000) };
    }
    const { project } = projectOn({ ImportSamples });
    const { ranges, importId } = await project.importSamples(large());
    expect(ranges.map(({ count }) => count)).toEqual([2, 2, 1]);
    expect(importId).toMatch(/^[0-9a-f-]{36}$/);
  });

  it('sends a part while the one before is under way, and no more than that', async () => {
    const waiting: (() => void)[] = [];
    const { project, calls } = projectOn({
      ImportSamples: (input, call) =>
        new Promise((resolve) => waiting.push(() => resolve(ImportSamples(input, call)))),
    });
    const importing = project.importSamples(samples, { partSize: 2 });
    const sent = () => calls['ImportSamples']?.map(({ part }) => part);
    await vi.waitFor(() => expect(sent()).toEqual([0, 1]));
    waiting[1]?.();
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(sent()).toEqual([0, 1]);
    waiting[0]?.();
    await vi.waitFor(() => expect(sent()).toEqual([0, 1, 2, 3]));
    waiting[2]?.();
    waiting[3]?.();
    expect((await importing).ranges.map(({ first }) => first)).toEqual([0, 3, 6, 9]);
  });

  it('sends a part again that did not wait long enough for the one before it', async () => {
    let early = 0;
    const { project, calls } = projectOn({
      ImportSamples: (input, call) => {
        if (input['part'] === 1 && early++ === 0)
          throw new PartOutOfOrderError('early', { part: 1, missing: 0 });
        return ImportSamples(input, call);
      },
    });
    const { ranges } = await project.importSamples(samples, { partSize: 4 });
    expect(ranges.map(({ first }) => first)).toEqual([0, 3]);
    expect(calls['ImportSamples']?.map(({ part }) => part)).toEqual([0, 1, 1]);
  });

  it('fails as its first part fails, and gives the others up', async () => {
    const { project, calls } = projectOn({
      ImportSamples: ({ part }) => {
        throw new DuplicateKeysError(`part ${part}`, { count: 1, keys: ['k'] });
      },
    });
    await expect(project.importSamples(samples, { partSize: 1 })).rejects.toThrow('part 0');
    expect(calls['ImportSamples']).toHaveLength(2);
  });

  it('of nothing is nothing', async () => {
    const { project } = projectOn({});
    expect(await project.importSamples([])).toMatchObject({ samples: 0, parts: 0 });
  });
});

describe('predictions', () => {
  const published = {
    UploadPredictions: (_: unknown, call: number) => ({ receipt: `r${call}`, rows: 1 }),
    PublishPredictions: () => ({ number: 1 }),
  };

  it('are published by key', async () => {
    const { project, calls } = projectOn(published);
    const probabilities = Float32Array.of(0.5, 0.25, 0.25, 0, 0, 1);
    await project.publishPredictions({ model: 'm', keys: ['a', 'b'], probabilities });
    expect(calls['UploadPredictions']).toMatchObject([{ project: 'p', classes: 3, keys: ['a', 'b'] }]);
    expect(floats(String(calls['UploadPredictions']?.[0]?.['probabilities']))).toEqual([...probabilities]);
    expect(calls['PublishPredictions']).toEqual([{ project: 'p', model: 'm', parts: ['r0'] }]);
  });

  it('of several passes go together, in parts of 4 MiB in all', async () => {
    const { project, calls } = projectOn(published);
    const rows = 40_000;
    const numbers = Uint32Array.from({ length: rows }, (_, i) => i);
    const passes = Array.from({ length: 20 }, (_, pass) => new Float32Array(rows * 3).fill(pass));
    const labels = ['spam', 'ham', 'other'];
    for (let i = 0; i < rows; i++) passes[1]?.set([7, 8, 9], 3 * i);
    await project.publishPredictions({ model: 'm', numbers, passes, labels });
    const parts = calls['UploadPredictions'] ?? [];
    expect(parts).toHaveLength(3);
    for (const part of parts) {
      expect(part).not.toHaveProperty('probabilities');
      const sent = (part['passes'] as string[]).map(floats);
      expect(sent.slice(0, 3).map(([first]) => first)).toEqual([0, 8, 2]);
      expect(4 * sent.reduce((sum, { length }) => sum + length, 0)).toBeLessThanOrEqual(4 * 1024 * 1024);
    }
  });

  it.each([
    ['no numbers', {}, 'probabilities: give probabilities, or passes'],
    ['half a pass', { passes: [new Float32Array(6), new Float32Array(5)] }, 'passes.1: 2 rows of 3 classes'],
  ])('are refused before anything is sent: %s', async (_, more, message) => {
    const { project, calls } = projectOn({});
    const publishing = project.publishPredictions({ model: 'm', keys: ['a', 'b'], ...more });
    await expect(publishing).rejects.toThrow(message);
    expect(calls).toEqual({});
  });

  it('go in parts whose receipts stay in order', async () => {
    const rows = 70_000;
    const { project, calls } = projectOn({
      ...published,
      UploadPredictions: async (_, call) => {
        await new Promise((resolve) => setTimeout(resolve, call === 0 ? 20 : 1));
        return { receipt: `r${call}` };
      },
    });
    const onProgress = vi.fn();
    await project.publishPredictions(
      {
        model: 'm',
        numbers: Uint32Array.from({ length: rows }, (_, i) => i),
        probabilities: new Float32Array(rows * 3),
      },
      { onProgress },
    );
    expect(calls['PublishPredictions']?.[0]?.['parts']).toEqual(['r0', 'r1', 'r2', 'r3']);
    expect(onProgress).toHaveBeenLastCalledWith({ rows, of: rows });
    const { numbers } = calls['UploadPredictions']?.[1] ?? {};
    expect(Buffer.from(String(numbers), 'base64').readUInt32LE(0)).toBe(20_000);
  });

  it('have their columns put into the order of the labels', async () => {
    const { project, calls } = projectOn(published);
    await project.publishPredictions({
      model: 'm',
      keys: ['a', 'b'],
      labels: ['spam', 'other', 'ham'],
      probabilities: Float32Array.of(0.5, 0.25, 0.125, 1, 2, 3),
    });
    expect(floats(String(calls['UploadPredictions']?.[0]?.['probabilities']))).toEqual([
      0.125, 0.5, 0.25, 3, 1, 2,
    ]);
  });

  it.each([
    [{ keys: ['a'], numbers: [1] }, 3, InvalidInputError],
    [{}, 3, InvalidInputError],
    [{ keys: [] }, 0, InvalidInputError],
    [{ keys: ['a', 'b'] }, 7, InvalidInputError],
    [{ keys: ['a'], labels: ['ham', 'spam', 'eggs'] }, 3, InvalidInputError],
    [{ keys: ['a', 'b'] }, 4, WrongClassCountError],
  ])('are checked before anything is sent: %o with %d numbers', async (names, length, type) => {
    const { project } = projectOn({});
    const publishing = project.publishPredictions({
      model: 'm',
      ...names,
      probabilities: new Float32Array(length),
    });
    await expect(publishing).rejects.toBeInstanceOf(type);
  });

  it('name bad rows as whoever gave them counts', async () => {
    const details = { count: 1, badRows: [{ row: 5, problem: 'class 0 has NaN' }] };
    const { project } = projectOn({
      UploadPredictions: ({ numbers }) => {
        if (Buffer.from(String(numbers), 'base64').readUInt32LE(0) > 0)
          throw new BadProbabilitiesError('!', details);
        return { receipt: 'r' };
      },
    });
    const rows = 30_000;
    const publishing = project.publishPredictions({
      model: 'm',
      numbers: Uint32Array.from({ length: rows }, (_, i) => i),
      probabilities: new Float32Array(rows * 3),
    });
    await expect(publishing).rejects.toMatchObject({
      code: 'BAD_PROBABILITIES',
      badRows: [{ row: 20_005, problem: 'class 0 has NaN' }],
    });
  });
});

describe('a round', () => {
  const round = (number: number, isOpen: boolean, settled: number) => ({ number, isOpen, settled }) as Round;

  it('is followed until it has closed', async () => {
    const { project } = projectOn({
      WatchProgress: () => [
        { round: null },
        { round: round(1, false, 9) },
        { round: round(2, true, 0) },
        { round: round(2, true, 4) },
        { round: round(2, false, 5) },
        { round: round(3, true, 0) },
      ],
    });
    const settled: number[] = [];
    for await (const progress of project.roundProgress({ number: 2 })) settled.push(progress.round.settled);
    expect(settled).toEqual([0, 4, 5]);
    expect(await project.waitForRound({ number: 2 })).toEqual(round(2, false, 5));
  });

  it('that closed while nobody looked is fetched', async () => {
    const { project } = projectOn({
      WatchProgress: () => [{ round: round(4, true, 1) }],
      Round: ({ number }) => round(Number(number), false, 8),
    });
    expect(await project.waitForRound({ number: 2 })).toEqual(round(2, false, 8));
  });

  it('is not waited for once the client is closed', async () => {
    const { project } = projectOn({ WatchProgress: () => [{ round: round(2, true, 0) }] });
    await expect(project.waitForRound({ number: 2 })).rejects.toThrow('The client was closed');
  });
});

describe('the training set', () => {
  it('comes page by page, as it is read', async () => {
    const { project, calls } = projectOn({
      TrainingSet: (_, call) => ({
        edges: [{ node: { label: `a${call}` } }, { node: { label: `b${call}` } }],
        pageInfo: { hasNextPage: call < 2, endCursor: `c${call}` },
      }),
    });
    const labels: string[] = [];
    for await (const { label } of project.trainingSet({ provisional: true })) labels.push(label);
    expect(labels).toEqual(['a0', 'b0', 'a1', 'b1', 'a2', 'b2']);
    expect(calls['TrainingSet']?.map(({ after }) => after)).toEqual([null, 'c0', 'c1']);
    expect(calls['TrainingSet']?.[0]).toMatchObject({ project: 'p', provisional: true, first: 1_000 });
  });

  it('is for those who may see it', async () => {
    const { project } = projectOn({ TrainingSet: () => null });
    const reading = (async () => {
      for await (const _ of project.trainingSet());
    })();
    await expect(reading).rejects.toMatchObject({ code: 'FORBIDDEN', allowed: ['OWNER', 'DRIVER'] });
  });
});

describe('embeddings', () => {
  it('go in parts of 2 MiB, and bad rows are numbered in the whole', async () => {
    const badRows = [{ row: 1, problem: 'number 0 is NaN' }];
    const { project, calls } = projectOn({
      UploadEmbeddings: (_, call) => {
        if (call === 2) throw new BadEmbeddingsError('bad', { count: 1, badRows });
        return { receipt: `r${call}` };
      },
      PublishEmbeddings: () => ({ number: 1 }),
    });
    const embeddings = new Float32Array(1_500 * 768);
    const keys = Array.from({ length: 1_500 }, (_, i) => `k${i}`);
    const publishing = project.publishEmbeddings({ model: 'm', keys, embeddings });
    await expect(publishing).rejects.toMatchObject({ badRows: [{ row: 2 * 682 + 1 }] });
    await project.publishEmbeddings({
      model: 'm',
      keys: ['a', 'b'],
      embeddings: Float32Array.of(1, 2, 3, 4),
    });
    expect(calls['UploadEmbeddings']?.at(-1)).toMatchObject({
      project: 'p',
      dimensions: 2,
      keys: ['a', 'b'],
    });
    expect(calls['PublishEmbeddings']).toEqual([{ project: 'p', model: 'm', parts: ['r3'] }]);
  });

  it('that do not fit their rows are refused before anything is sent', async () => {
    const { project } = projectOn({});
    const embeddings = new Float32Array(5);
    await expect(project.publishEmbeddings({ model: 'm', keys: ['a', 'b'], embeddings })).rejects.toThrow(
      InvalidInputError,
    );
  });
});
