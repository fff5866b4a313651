import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { csvWriter, FORMATS, type Format, named } from '../../sdk/src/formats/index.ts';
import { SAMPLE } from './exportedSample.ts';

/** The examples of docs/formats.md are read by what they explain, and what it says of an export is there. */
const PAGE = readFileSync(new URL('../../docs/formats.md', import.meta.url), 'utf8');

it.each([
  [
    'csv',
    'csv',
    [
      { subject: 'Hello', text: 'Dear all,\nsee you at "Noon".' },
      { subject: 'Offer', text: 'Buy now' },
    ],
  ],
  ['ndjson', 'ndjson', [{ subject: 'Hello', text: 'Dear all' }, { image: 'https://example.org/2.png' }]],
  ['json', 'label-studio', [{ text: 'Dear all' }, { text: 'Buy now' }]],
])('the example of %s', async (language, format, expected) => {
  const example = new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, 'ms').exec(PAGE)?.[1] ?? '';
  const source = (async function* () {
    yield example;
  })();
  const data = [];
  for await (const sample of FORMATS[format as Format].read(source)) data.push(sample.data);
  expect(data).toEqual(expected);
});

it('every field and column of an export is explained', () => {
  const explained = new Set([...PAGE.matchAll(/`(\w+)`/g)].map(([, name]) => name));
  const record = named(SAMPLE, new Map([[SAMPLE.annotations[0]?.annotator ?? '', 'Ann']]));
  const fields = [...Object.keys(record), ...Object.keys(record.annotations[0] ?? {})];
  const columns = csvWriter().begin.trim().split(',');
  expect([...fields, ...columns].filter((name) => !explained.has(name))).toEqual([]);
});
