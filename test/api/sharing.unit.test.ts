import { parse } from 'graphql';
import { describe, expect, it } from 'vitest';
import { schema } from '../../src/graphql/schema.ts';
import { sharingOf } from '../../src/graphql/sharing.ts';

const isShared = (text: string, name?: string) => sharingOf(schema, parse(text), name) !== null;

describe('what may be shared', () => {
  it.each([
    'subscription { agreement(project: "p") { alpha { __typename ... on AgreementFigure { value } } pairs { members { name } } } }',
    'subscription ($p: ID!) { progress(project: $p) { samples round { number strategyAsked { name } } } }',
    'subscription ($p: ID!) { progress(project: $p) { ...F } } fragment F on Progress { samples }',
    'subscription ($p: ID!, $s: Boolean!) { progress(project: $p) { samples @include(if: $s) } }',
    'subscription ($p: ID!) { one: progress(project: $p) { two: samples } }',
  ])('is what looks the same to a role: %s', (text) => {
    expect(isShared(text)).toBe(true);
  });

  it.each([
    ['a stream of the viewer’s own', 'subscription { queue(project: "p") { answers } }'],
    ['no subscription', '{ project(id: "p") { name } }'],
    [
      'a field that nobody has marked',
      'subscription { progress(project: "p") { round { samples(first: 1) { edges { cursor } } } } }',
    ],
    [
      'such a field in a fragment',
      'subscription { progress(project: "p") { ...F } } fragment F on Progress { round { samples { edges { cursor } } } }',
    ],
    [
      'a condition at the root',
      'subscription ($s: Boolean!) { progress(project: "p") @include(if: $s) { samples } }',
    ],
    [
      'a fragment at the root',
      'subscription { ...F } fragment F on Subscription { progress(project: "p") { samples } }',
    ],
    ['what cannot be told', 'subscription A { progress(project: "p") { samples } } query B { __typename }'],
  ])('is not %s', (_, text) => {
    expect(isShared(text)).toBe(false);
  });

  it('depends on every variable but that of where a reader begins', () => {
    const of = (text: string) => [...(sharingOf(schema, parse(text), null)?.variables ?? [])];
    const text = (selection: string) => `subscription ($p: ID!, $after: String, $s: Boolean!) {
      prioritized(project: $p, after: $after) { ... on PrioritizedSamples { round ${selection} } } }`;
    expect(of(text('cursor @include(if: $s)'))).toEqual(['p', 's']);
    expect(of(text(''))).toEqual(['p']);
  });
});
