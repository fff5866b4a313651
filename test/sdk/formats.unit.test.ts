import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  BY_NUMBER,
  type CsvRows,
  csvWriter,
  FORMATS,
  type Format,
  FormatError,
  labelStudioWriter,
  type Names,
  type ReadSample,
  type SampleRecord,
  type Writer,
  writePages,
} from '../../sdk/src/formats/index.ts';
import { SAMPLE } from './exportedSample.ts';

const text = fc.string({ unit: 'grapheme', maxLength: 20 });
const label = text.map((given) => given.trim() || 'x');
const orNull = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: null });
const when = fc
  .date({ min: new Date('2020-01-01'), max: new Date('2030-01-01'), noInvalidDate: true })
  .map((date) => date.toISOString());

const annotation = fc.record({
  id: fc.uuid(),
  annotator: fc.uuid(),
  label,
  answeredAt: when,
  milliseconds: orNull(fc.nat(100_000)),
  draw: fc.constantFrom('POOL', 'RANDOM', 'UNCERTAIN', 'AUDIT'),
  round: orNull(fc.integer({ min: 1, max: 9 })),
  suggestion: orNull(label),
  suggestions: fc.constantFrom('HIDDEN', 'SHOWN', 'AFTER_FIRST_ANSWER'),
  firstLabel: orNull(label),
  movedToSuggestion: fc.boolean(),
  predictionRun: orNull(fc.integer({ min: 1, max: 9 })),
  predicted: orNull(label),
  counted: fc.boolean(),
});

/** What JSON gives back as it was: -0 comes back as 0. */
const data = fc.jsonValue().map((value): unknown => JSON.parse(JSON.stringify(value)));

const samples = fc
  .uniqueArray(
    fc.record({
      key: fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 }),
      data,
      predicted: orNull(label),
      confidence: orNull(fc.float({ min: 0, max: 1, noNaN: true, noDefaultInfinity: true })),
      autoAccepted: fc.boolean(),
      consensus: orNull(
        fc.record({ label: orNull(label), tied: fc.array(label), votes: fc.nat(9), of: fc.nat(9) }),
      ),
      gold: orNull(label),
      ruling: orNull(
        fc.record({
          label,
          reason: fc.string({ minLength: 1 }),
          by: fc.uuid(),
          at: fc.constant('2026-03-02T08:00:00.000Z'),
        }),
      ),
      skips: fc.nat(5),
      unanswerable: fc.boolean(),
      annotations: fc.array(annotation, { maxLength: 3 }),
    }),
    { selector: ({ key }) => key, maxLength: 8 },
  )
  .map((all) => all.map((sample, number): SampleRecord => ({ ...sample, number }) as SampleRecord));

async function collected<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

/** A text as bytes, cut anywhere, within characters too. */
async function* cut(whole: string, size: number): AsyncGenerator<Uint8Array> {
  const bytes = new TextEncoder().encode(whole);
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function read(format: Format, whole: string, { key, size = 7 }: { key?: string; size?: number } = {}) {
  const found: ReadSample[] = [];
  for await (const sample of FORMATS[format].read(cut(whole, size), { key })) found.push(sample);
  return found;
}

async function written(format: Format, given: readonly SampleRecord[]): Promise<string> {
  return fileOf(given, FORMATS[format].writer());
}

/** A file of samples in pages of two. */
async function fileOf(given: readonly SampleRecord[], writer: Writer, names?: Names): Promise<string> {
  const pages = [];
  for (let at = 0; at < given.length; at += 2) pages.push({ samples: given.slice(at, at + 2) });
  return (await collected(writePages(pages, writer, { names }))).join('');
}

async function problem(format: Format, whole: string, key?: string): Promise<FormatError> {
  const error = await read(format, whole, { ...(key !== undefined && { key }) }).catch((thrown) => thrown);
  expect(error).toBeInstanceOf(FormatError);
  return error;
}

describe.each(Object.keys(FORMATS) as Format[])('%s', (format) => {
  it('gives back samples and answers as they were written, however it is cut', async () => {
    await fc.assert(
      fc.asyncProperty(samples, fc.integer({ min: 1, max: 50 }), async (given, size) => {
        const found = await read(format, await written(format, given), { size });
        expect(found.map(({ key }) => key)).toEqual(given.map(({ key }) => key));
        expect(found.map(({ data }) => data)).toEqual(given.map(({ data }) => data));
        expect(found.map(({ groundTruth = null }) => groundTruth)).toEqual(
          given.map(({ gold }) => gold ?? null),
        );
        expect(found.map(({ predictions }) => predictions)).toEqual(
          given.map(({ predicted }) => Number(predicted !== null)),
        );
        for (const [i, { annotations }] of found.entries()) {
          const those = given[i]?.annotations ?? [];
          expect(annotations.map(({ label }) => label)).toEqual(those.map(({ label }) => label));
          expect(annotations.map(({ answeredAt }) => answeredAt)).toEqual(
            those.map(({ answeredAt }) => answeredAt),
          );
          expect(annotations.map(({ milliseconds }) => milliseconds && Math.round(milliseconds))).toEqual(
            those.map(({ milliseconds }) => milliseconds),
          );
          // Label Studio has users of its own, whose ids these are not.
          if (format !== 'label-studio')
            expect(annotations.map(({ annotator }) => annotator)).toEqual(
              those.map(({ annotator }) => annotator),
            );
        }
      }),
    );
  });

  it('holds nothing back: each page is written before the next is asked for', async () => {
    let asked = 0;
    async function* endless() {
      for (;;) {
        asked++;
        yield { samples: [SAMPLE] };
      }
    }
    let pieces = 0;
    for await (const _ of writePages(endless(), FORMATS[format].writer())) {
      expect(asked).toBeLessThanOrEqual(pieces + 1);
      if (++pieces === 100) break;
    }
  });

  it('reads no further ahead than it is read from', async () => {
    const all = Array.from({ length: 300 }, (_, i) => ({
      ...SAMPLE,
      key: `k${i}`,
      data: 'x'.repeat(10_000),
    }));
    const whole = new TextEncoder().encode(await written(format, all));
    let given = 0;
    async function* source() {
      for (let at = 0; at < whole.length; at += 65_536) {
        given = Math.min(at + 65_536, whole.length);
        yield whole.subarray(at, given);
      }
    }
    let count = 0;
    for await (const _ of FORMATS[format].read(source())) if (++count === 10) break;
    // Some pieces are on their way; a whole file is not.
    expect(given).toBeLessThan(whole.length / 2);
  });

  it('reads a file of many pieces to its end, and nothing piles up', async () => {
    const warnings: Error[] = [];
    const onWarning = (warning: Error) => warnings.push(warning);
    process.on('warning', onWarning);
    const all = Array.from({ length: 300 }, (_, i) => ({
      ...SAMPLE,
      key: `k${i}`,
      data: 'x'.repeat(10_000),
    }));
    const found = await read(format, await written(format, all), { size: 65_536 });
    await new Promise(setImmediate);
    process.off('warning', onWarning);
    expect(found.map(({ key }) => key)).toEqual(all.map(({ key }) => key));
    expect(warnings).toEqual([]);
  });

  it('says nothing of what it is not', async () => {
    expect((await problem(format, '{')).line).toBe(1);
    const notUtf8 = (async function* () {
      yield Uint8Array.of(0x5b, 0x0a, 0xff, 0xfe);
    })();
    await expect(collected(FORMATS[format].read(notUtf8))).rejects.toThrow(/UTF-8/);
  });
});

describe('csv', () => {
  it('takes every column but the key for data, as text', async () => {
    const file = '\uFEFFid;x,text\r\n1,"a ""b"", c"\r\n\r\n2,"two\nlines"\r\n';
    expect(await read('csv', file, { key: 'id;x' })).toEqual([
      { key: '1', data: { text: 'a "b", c' }, line: 2, annotations: [], predictions: 0 },
      { key: '2', data: { text: 'two\nlines' }, line: 5, annotations: [], predictions: 0 },
    ]);
    const numbered = await read('csv', file, { key: BY_NUMBER });
    expect(numbered.map(({ key }) => key)).toEqual(['1', '2']);
    expect(numbered[0]?.data).toEqual({ 'id;x': '1', text: 'a "b", c' });
  });

  it('numbers the samples of an export too where that is asked for', async () => {
    const given = [SAMPLE, { ...SAMPLE, key: 'another' }];
    const file = await fileOf(given, csvWriter());
    const numbered = await read('csv', file, { key: BY_NUMBER });
    expect(numbered.map(({ key, annotations }) => [key, annotations.length])).toEqual([
      ['1', 2],
      ['2', 2],
    ]);
  });

  it('names the line of what is wrong', async () => {
    expect(await problem('csv', 'key,text\n1,a\n2\n')).toMatchObject({
      line: 3,
      problem: expect.stringMatching(/columns/),
    });
    expect(await problem('csv', 'key,text\n1,a\n,b\n')).toMatchObject({
      line: 3,
      problem: expect.stringMatching(/no key/),
    });
    expect(await problem('csv', 'key,key\n')).toMatchObject({
      line: 1,
      problem: expect.stringMatching(/two columns 'key'/),
    });
    expect(await problem('csv', 'id,text\n1,a\n')).toMatchObject({
      line: 1,
      problem: expect.stringMatching(/only 'id', 'text'/),
    });
    expect(await problem('csv', 'key,text\n1,"a\n2,b\n')).toMatchObject({
      problem: expect.stringMatching(/never closed/),
    });
    expect(await problem('csv', '')).toMatchObject({ line: 1, problem: expect.stringMatching(/empty/) });
    expect(await problem('csv', 'key;text\n1;a\n')).toMatchObject({
      line: 1,
      problem: expect.stringMatching(/by ';', not/),
    });
    expect(await problem('csv', 'key\ttext\n1\ta\n')).toMatchObject({
      line: 1,
      problem: expect.stringMatching(/by tabs, not/),
    });
  });

  it('has a row an answer, or a row a sample, and names where they are asked for', async () => {
    const unanswered = {
      ...SAMPLE,
      key: 'none',
      consensus: null,
      gold: 'ham',
      ruling: null,
      annotations: [],
    };
    const names = new Map([['who-said-ham', 'Ann']]);
    const file = (rows: CsvRows) => fileOf([SAMPLE, unanswered], csvWriter(rows), names);
    expect(await file('annotations')).toBe(
      `key,number,data,consensus,tied,votes,of,gold,ruling,rulingReason,ruledBy,ruledAt,modelLabel,modelConfidence,autoAccepted,skips,unanswerable,annotation,annotator,name,label,answeredAt,milliseconds,draw,round,suggestion,suggestions,firstLabel,movedToSuggestion,predictionRun,predicted,counted
k,0,"{""text"":""a""}",,"[""ham"",""spam""]",1,2,,spam,it sells,who-ruled,2026-03-02T08:00:00.000Z,ham,0.75,false,0,false,of-ham,who-said-ham,Ann,ham,2026-03-01T10:15:30.000Z,1500,RANDOM,1,,HIDDEN,,false,2,ham,true
k,0,"{""text"":""a""}",,"[""ham"",""spam""]",1,2,,spam,it sells,who-ruled,2026-03-02T08:00:00.000Z,ham,0.75,false,0,false,of-spam,who-said-spam,,spam,2026-03-01T10:15:30.000Z,1500,RANDOM,1,,HIDDEN,,false,2,ham,true
none,0,"{""text"":""a""}",,,,,ham,,,,,ham,0.75,false,0,false,,,,,,,,,,,,,,,
`.replaceAll('\n', '\r\n'),
    );
    expect((await file('samples')).split('\r\n')).toHaveLength(4);
  });
});

describe('ndjson', () => {
  it('takes every field but the key for data, unless there is a field of that name', async () => {
    const file = '{"key":1,"text":"a\u2028b"}\n\n{"key":"2","data":[1]}';
    expect(await read('ndjson', file)).toMatchObject([
      { key: '1', data: { text: 'a\u2028b' }, line: 1 },
      { key: '2', data: [1], line: 3 },
    ]);
  });

  it('takes a known answer beside the data', async () => {
    const file = '{"key":"1","text":"a","ground_truth":"spam"}\n{"key":"2","data":[1],"ground_truth":"ham"}';
    expect(await read('ndjson', file)).toMatchObject([
      { key: '1', data: { text: 'a' }, groundTruth: 'spam' },
      { key: '2', data: [1], groundTruth: 'ham' },
    ]);
    const odd = await problem('ndjson', '{"key":"1","ground_truth":1}');
    expect(odd).toMatchObject({ line: 1, problem: expect.stringMatching(/no label/) });
  });

  it('names the line of what is wrong', async () => {
    expect(await problem('ndjson', '{"key":"1"}\n[1]\n')).toMatchObject({
      line: 2,
      problem: expect.stringMatching(/no JSON object/),
    });
    expect(await problem('ndjson', '{"key":"1"}\n{"key":}')).toMatchObject({
      line: 2,
      problem: expect.stringMatching(/no JSON:/),
    });
    expect(await problem('ndjson', '{"key":"1","data":1,"text":2}')).toMatchObject({
      problem: expect.stringMatching(/'text' stands/),
    });
    expect(await problem('ndjson', `{"key":"${'k'.repeat(257)}"}`)).toMatchObject({
      problem: expect.stringMatching(/256/),
    });
    // Another number may be the same to JavaScript.
    expect(await problem('ndjson', '{"key":12345678901234567890}')).toMatchObject({
      problem: expect.stringMatching(/2\^53/),
    });
    const deep = '['.repeat(20_000) + ']'.repeat(20_000);
    expect(await problem('ndjson', `{"key":"1","deep":${deep}}`)).toMatchObject({
      line: 1,
      problem: expect.stringMatching(/too many/),
    });
    expect(await problem('ndjson', `{"key":"1","text":"${'x'.repeat(2 ** 20)}"}`)).toMatchObject({
      problem: expect.stringMatching(/1 MiB/),
    });
  });
});

describe('label-studio', () => {
  it('reads what Label Studio exports', async () => {
    // Of the shape that https://labelstud.io/guide/task_format shows.
    const tasks = [
      {
        id: 7,
        data: { text: 'a' },
        annotations: [
          {
            id: 1001,
            completed_by: { id: 3, email: 'ann@example.org' },
            result: [{ from_name: 's', to_name: 't', type: 'choices', value: { choices: ['ham'] } }],
            created_at: '2021-03-09T22:16:08.728353Z',
            lead_time: 4.5,
            was_cancelled: false,
          },
          { id: 1002, completed_by: 10, result: [], was_cancelled: true },
          { id: 1003, completed_by: 10, result: [{ type: 'rectanglelabels', value: { x: 1 } }] },
        ],
        predictions: [{ model_version: 'm', result: [] }],
      },
      { id: 8, data: { text: 'b' } },
    ];
    const found = await read('label-studio', JSON.stringify(tasks, null, 2));
    expect(found).toMatchObject([
      {
        key: '7',
        data: { text: 'a' },
        annotations: [
          { label: 'ham', annotator: 'ann@example.org', milliseconds: 4_500 },
          { label: null, annotator: '10' },
        ],
        predictions: 1,
      },
      { key: '8', data: { text: 'b' }, annotations: [], predictions: 0 },
    ]);
    expect(
      (await read('label-studio', JSON.stringify(tasks), { key: 'text' })).map(({ key }) => key),
    ).toEqual(['a', 'b']);
  });

  it('names the place of what is wrong', async () => {
    expect(await problem('label-studio', '[\n{"id":1,"data":{}},\n{"id":2}\n]')).toMatchObject({
      line: 3,
      problem: expect.stringMatching(/task 2: it has no object 'data'/),
    });
    expect(await problem('label-studio', '{"id":1}')).toMatchObject({
      line: 1,
      problem: expect.stringMatching(/no array/),
    });
    expect(await problem('label-studio', '[\n{"data":{}}]')).toMatchObject({
      line: 2,
      problem: expect.stringMatching(/'id' holds no key/),
    });
    expect(await problem('label-studio', '[\n{"id":1,"data":{}},\n')).toMatchObject({
      problem: expect.stringMatching(/ends before/),
    });
    expect(await problem('label-studio', '[\n{"id":1,,}]')).toMatchObject({
      line: 2,
      problem: expect.stringMatching(/no JSON/),
    });
  });

  it('uses the names of the labelling configuration', () => {
    const task = JSON.parse(labelStudioWriter({ control: 'kind', object: 'mail' }).write([SAMPLE]));
    expect(task.annotations[0].result[0]).toMatchObject({ from_name: 'kind', to_name: 'mail' });
  });
});

it('a quotation mark within a cell of CSV is told of with its line, as all else that is wrong', async () => {
  const read = async (text: string) => {
    const source = (async function* () {
      yield text;
    })();
    for await (const _ of FORMATS.csv.read(source));
  };
  await expect(read('key,text\na,b "c"\n')).rejects.toThrow(FormatError);
  await expect(read('ke"y\n')).rejects.toMatchObject({ line: 1 });
});

it('tells the line at which a file is not UTF-8, however it is cut', async () => {
  const bytes = Buffer.from('key,text\n1,€€\n2,h\xe9llo\n', 'utf8');
  const at = bytes.indexOf('é');
  const file = Buffer.concat([bytes.subarray(0, at), Buffer.from([0xe9]), bytes.subarray(at + 2)]);
  for (let cut = 1; cut < at; cut++) {
    const source = (async function* () {
      yield file.subarray(0, cut);
      yield file.subarray(cut);
    })();
    const reading = async () => {
      for await (const _ of FORMATS.csv.read(source));
    };
    await expect(reading(), `cut at ${cut}`).rejects.toMatchObject({
      line: 3,
      problem: expect.stringMatching(/UTF-8/),
    });
  }
});
