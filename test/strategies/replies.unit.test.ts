import { describe, expect, it } from 'vitest';
import type { Calls } from '../../src/strategies/protocol.ts';
import { InvalidReplyError, readAnswer } from '../../src/strategies/replies.ts';
import { unpredicted } from './support.ts';

const described = { name: 'margin', description: 'By margin.', needs: ['probabilities'] };
const input: Calls['select']['input'] = {
  files: new Map([['margin', 'margin.ts']]),
  strategy: 'hybrid',
  parameters: {},
  seed: 1,
  count: 3,
  pool: unpredicted(4),
  states: {},
};
const selection = {
  ordinals: Uint32Array.of(3, 0),
  scores: Float64Array.of(0.5, Number.NaN),
  normalised: Float64Array.of(1, 0),
  random: Uint8Array.of(0, 1),
  inclusionProbability: 0.25,
  reasons: ['ham or spam', null],
};
const selected = {
  selection,
  parameters: { share: 0.5 },
  asked: ['margin'],
  states: { margin: { rounds: 1 } },
};

describe('what a worker answers', () => {
  it('is taken as it is, where it is an answer', () => {
    const describing = readAnswer(
      'describe',
      1,
      { file: 'a.ts', code: '', isShared: false },
      value(described),
    );
    expect(describing).toEqual({ value: described });
    expect(readAnswer('select', 1, input, value(selected))).toEqual({ value: selected });
    const error = { code: 'unknown-strategy', strategy: 'nope' };
    expect(readAnswer('select', 1, input, { kind: 'error', id: 1, error })).toEqual({ error });
  });

  it.each<[string, unknown]>([
    ['no object', 1],
    ['nothing', undefined],
    ['an answer to another call', { kind: 'value', id: 2, value: selected }],
    ['no kind', { id: 1, value: selected }],
    ['no value', { kind: 'value', id: 1 }],
    ['plain arrays', chosen({ ordinals: [3, 0] })],
    ['too many samples', chosen({ ordinals: Uint32Array.of(0, 1, 2, 3) })],
    ['a sample that is not in the pool', chosen({ ordinals: Uint32Array.of(3, 9) })],
    ['a sample twice', chosen({ ordinals: Uint32Array.of(3, 3) })],
    ['too few scores', chosen({ scores: new Float64Array(1) })],
    ['a negative score', chosen({ scores: Float64Array.of(-1, 0) })],
    ['a normalised score above 1', chosen({ normalised: Float64Array.of(2, 0) })],
    ['flags that are none', chosen({ random: Uint8Array.of(2, 1) })],
    ['a chance above 1', chosen({ inclusionProbability: 2 })],
    ['a chance that is no number', chosen({ inclusionProbability: '1' })],
    ['random samples without their chance', chosen({ inclusionProbability: null })],
    ['a reason of two lines', chosen({ reasons: ['a\nb', null] })],
    ['too few reasons', chosen({ reasons: [null] })],
    ['a book of reasons', chosen({ reasons: ['x'.repeat(1e6), null] })],
    ['shared memory', chosen({ random: shared(0, 1) })],
    ['parameters that JSON cannot hold', value({ ...selected, parameters: { a: 1n } })],
    ['parameters that are a list', value({ ...selected, parameters: [] })],
    ['a state of a strategy that there is not', value({ ...selected, states: { nope: {} } })],
    ['a state that JSON cannot hold', value({ ...selected, states: { margin: { a: 1n } } })],
    ['a strategy that there is not', value({ ...selected, asked: ['nope'] })],
    ['an error that there is not', { kind: 'error', id: 1, error: { code: 'store-full' } }],
    ['an error without details', { kind: 'error', id: 1, error: { code: 'strategy-failed' } }],
    ['a book', { kind: 'error', id: 1, error: { code: 'invalid-pool', message: 'x'.repeat(1e6) } }],
  ])('is refused where it is %s', (_, message) => {
    expect(() => readAnswer('select', 1, input, message)).toThrow(InvalidReplyError);
  });

  it.each<[string, unknown]>([
    ['a name', { ...described, name: 1 }],
    ['a short name', { ...described, name: 'x'.repeat(65) }],
    ['needs', { ...described, needs: ['gradients'] }],
  ])('is refused where a description has no such thing as %s', (_, message) => {
    expect(() =>
      readAnswer('describe', 1, { file: 'a.ts', code: '', isShared: false }, value(message)),
    ).toThrow(InvalidReplyError);
  });
});

function value(value: unknown) {
  return { kind: 'value', id: 1, value };
}

function chosen(part: Readonly<Record<string, unknown>>) {
  return value({ ...selected, selection: { ...selection, ...part } });
}

function shared(...flags: readonly number[]): Uint8Array {
  const array = new Uint8Array(new SharedArrayBuffer(flags.length));
  array.set(flags);
  return array;
}
