import { describe, expect, it } from 'vitest';
import { MAX_IMPORT_PART, MAX_KEY_LENGTH } from '../../src/domain/importing.ts';
import { project } from './scenario.ts';

function part(keys: readonly string[], { importId = 'mail', number = 0 } = {}) {
  return { by: 'driver', importId, part: number, keys, blocks: [{ chunk: 'c', count: keys.length }] };
}

const numbered = (count: number) => Array.from({ length: count }, (_, i) => `k${i}`);

describe('importing', () => {
  it('gives samples the next ordinals, in the order of their keys', () => {
    const scenario = project().given('importSamples', part(['x', 'y']));
    const outcome = scenario.when('importSamples', part(['a'], { number: 1 }));
    outcome.thenEvents({ type: 'samplesImported', keys: ['a'] });
    expect(outcome.result).toEqual({ first: 2, count: 1 });
    expect(['x', 'y', 'a'].map((key) => scenario.project.samples.keys.indexOf(key))).toEqual([0, 1, 2]);
  });

  it('knows where each payload lies', () => {
    const blocks = [
      { chunk: 'one', count: 2 },
      { chunk: 'two', count: 1 },
    ];
    const { project: imported } = project()
      .given('importSamples', { ...part(['a', 'b', 'c']), blocks })
      .given('importSamples', part(['d'], { number: 1 }));
    expect([0, 1, 2, 3].map((sample) => imported.samples.payload(sample))).toEqual([
      { chunk: 'one', index: 0 },
      { chunk: 'one', index: 1 },
      { chunk: 'two', index: 0 },
      { chunk: 'c', index: 0 },
    ]);
    expect(() => imported.samples.payload(4)).toThrow(RangeError);
  });

  it('does nothing the second time, and answers as the first', () => {
    const scenario = project()
      .given('importSamples', part(['x', 'y']))
      .given('importSamples', part(['z'], { number: 1 }));
    const again = scenario.when('importSamples', part(['x', 'y']));
    again.thenNothing();
    expect(again.result).toEqual({ first: 0, count: 2 });
  });

  it('refuses a part before the one that it follows', () => {
    const scenario = project().given('importSamples', part(['x']));
    scenario
      .when('importSamples', part(['z'], { number: 2 }))
      .thenRefused('PART_OUT_OF_ORDER', { part: 2, missing: 1 });
    scenario
      .when('importSamples', part(['y'], { number: 1, importId: 'other' }))
      .thenRefused('PART_OUT_OF_ORDER', { part: 1, missing: 0 });
  });

  it('refuses other samples under the name of a part that is there', () => {
    const scenario = project().given('importSamples', part(['x', 'y']));
    for (const keys of [['x'], ['y', 'x'], ['x', 'y', 'z']]) {
      scenario.when('importSamples', part(keys)).thenRefused('INVALID_INPUT', { field: 'part' });
    }
  });

  it('refuses keys that come twice, within the part and across, names them, and imports none', () => {
    const scenario = project().given('importSamples', part(['x', 'y']));
    scenario
      .when('importSamples', part(['a', 'x', 'b', 'a'], { number: 1 }))
      .thenRefused('DUPLICATE_KEYS', { count: 2, keys: ['x', 'a'] });
    expect(scenario.project.samples.size).toBe(2);
    expect(scenario.project.samples.keys.indexOf('b')).toBe(-1);
  });

  it('names ten of many that come twice', () => {
    const scenario = project().given('importSamples', part(numbered(30)));
    scenario
      .when('importSamples', part(numbered(30), { number: 1 }))
      .thenRefused('DUPLICATE_KEYS', { count: 30, keys: numbered(10) });
  });

  it.each([
    ['no samples', []],
    ['more samples than a part takes', numbered(MAX_IMPORT_PART + 1)],
    ['an empty key', ['a', '']],
    ['a key that is too long', ['x'.repeat(MAX_KEY_LENGTH + 1)]],
  ])('refuses %s', (_, keys) => {
    project().when('importSamples', part(keys)).thenRefused('INVALID_INPUT');
  });

  it('takes no payloads for others than its keys: that is a fault of the service', () => {
    const blocks = [{ chunk: 'c', count: 1 }];
    expect(() => project().when('importSamples', { ...part(['a', 'b']), blocks })).toThrow(RangeError);
  });
});

describe('the overlap share', () => {
  const overlaps = (overlap: number, overlapShare: number, seed = 1) => {
    const { project: imported } = project({ overlap, overlapShare }, { seed }).imported(2_000);
    return Array.from(imported.samples.overlap.view());
  };

  it('is drawn at random when samples are imported, and recorded', () => {
    const drawn = overlaps(3, 0.1);
    expect(new Set(drawn)).toEqual(new Set([1, 3]));
    // 200 expected, with a standard deviation of 13.4.
    expect(drawn.filter((overlap) => overlap === 3).length).toBeGreaterThan(140);
    expect(drawn.filter((overlap) => overlap === 3).length).toBeLessThan(260);
    expect(overlaps(3, 0.1)).toEqual(drawn);
    expect(overlaps(3, 0.1, 2)).not.toEqual(drawn);
  });

  it('does not depend on how the import is cut into parts', () => {
    const { project: imported } = project({ overlap: 3, overlapShare: 0.1 }).imported(700).imported(1_300);
    expect(Array.from(imported.samples.overlap.view())).toEqual(overlaps(3, 0.1));
  });

  it('is nobody for a share of 0 or an overlap of one, and everybody for a share of 1', () => {
    expect(new Set(overlaps(2, 0))).toEqual(new Set([1]));
    expect(new Set(overlaps(1, 1))).toEqual(new Set([1]));
    expect(new Set(overlaps(2, 1))).toEqual(new Set([2]));
  });

  it('stays as it was drawn when the policy changes', () => {
    const scenario = project({ overlap: 2, overlapShare: 1 }, { samples: 3 });
    scenario.given('changePolicy', { by: 'owner', change: { overlap: 3 } }).imported(1);
    expect(Array.from(scenario.project.samples.overlap.view())).toEqual([2, 2, 2, 3]);
  });
});
