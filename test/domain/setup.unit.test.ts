import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { NOMINAL } from '../../src/domain/labelScale.ts';
import { changedPolicy, POLICY_PRESETS, type PolicyChange } from '../../src/domain/policy.ts';
import { Refusal } from '../../src/domain/refusals.ts';
import type { NewProject } from '../../src/domain/setup.ts';
import { LABELS, project, Scenario } from './scenario.ts';

/** What a change of policy may say, in the API's words. */
const POLICY_INPUT = /^input PolicyInput \{.*?^\}/ms.exec(
  readFileSync(new URL('../../schema/schema.graphql', import.meta.url), 'utf8'),
)?.[0];

const NEW: NewProject = {
  by: 'owner',
  labels: LABELS,
  scale: NOMINAL,
  guidelines: 'Look twice.',
  preset: 'QUALITY',
  policy: {},
  seed: 1,
};

describe('creating a project', () => {
  it('records its labels, its guidelines and the whole policy', () => {
    new Scenario().when('createProject', NEW).thenEvents({
      type: 'projectCreated',
      labels: LABELS,
      scale: NOMINAL,
      guidelines: 'Look twice.',
      policy: POLICY_PRESETS.QUALITY,
    });
  });

  it('happens once: again, it does nothing', () => {
    new Scenario().given('createProject', NEW).when('createProject', NEW).thenNothing();
  });

  it('comes before everything else', () => {
    expect(() => new Scenario().when('sweep', {})).toThrow(/never created/);
  });

  it.each([
    ['one label', ['cat'], /2 to 1000 labels, not 1/],
    ['a label twice', ['cat', 'dog', 'cat'], /twice/],
    ['an empty label', ['cat', ''], /is empty/],
    ['a label with a space at its end', ['cat', 'dog '], /space/],
    ['a thousand and one labels', Array.from({ length: 1_001 }, (_, i) => `l${i}`), /not 1001/],
  ])('refuses %s', (_, labels, problem) => {
    new Scenario().when('createProject', { ...NEW, labels }).thenRefused('INVALID_INPUT', {
      field: 'labels',
      problem: expect.stringMatching(problem),
    });
  });

  it.each([
    ['values of names', { kind: 'NOMINAL', values: [1, 2, 3] }, /only an INTERVAL/],
    ['too few values', { kind: 'INTERVAL', values: [1, 2] }, /2 values for 3 labels/],
    ['values that do not ascend', { kind: 'INTERVAL', values: [1, 3, 3] }, /ascend/],
    ['values that are no numbers', { kind: 'INTERVAL', values: [1, 2, Number.NaN] }, /ascend/],
  ] as const)('refuses a scale with %s', (_, scale, problem) => {
    new Scenario().when('createProject', { ...NEW, scale }).thenRefused('INVALID_INPUT', {
      field: 'scale',
      problem: expect.stringMatching(problem),
    });
  });

  it('refuses guidelines of a book', () => {
    const guidelines = 'x'.repeat(100_001);
    new Scenario().when('createProject', { ...NEW, guidelines }).thenRefused('PAYLOAD_TOO_LARGE');
  });
});

describe('the policy', () => {
  it.each(Object.keys(POLICY_PRESETS))('has a preset %s that keeps its own ranges', (preset) => {
    const policy = POLICY_PRESETS[preset as keyof typeof POLICY_PRESETS];
    expect(changedPolicy(policy, {})).toEqual(policy);
  });

  it('adopts step by step: the model first, then rounds and overlap, then more of both', () => {
    const { PRE_ANNOTATE, ACTIVE_LEARNING, QUALITY } = POLICY_PRESETS;
    expect([PRE_ANNOTATE, ACTIVE_LEARNING, QUALITY].map((policy) => policy.overlapShare)).toEqual([
      0, 0.1, 0.2,
    ]);
    expect([PRE_ANNOTATE, ACTIVE_LEARNING, QUALITY].map((policy) => policy.withoutRound)).toEqual([
      'POOL',
      'WAIT',
      'WAIT',
    ]);
    expect(QUALITY.suggestions).toBe('HIDDEN');
    expect(QUALITY.audit.cap).toBeGreaterThan(ACTIVE_LEARNING.audit.cap);
  });

  it('changes field by field, and the event has the whole', () => {
    const scenario = project();
    const { policy } = scenario.project;
    scenario.when('changePolicy', { by: 'owner', change: { roundSize: 5, audit: { cap: 3 } } }).thenEvents({
      type: 'policyChanged',
      policy: { ...policy, roundSize: 5, audit: { ...policy.audit, cap: 3 } },
    });
    expect(scenario.project.policy.roundSize).toBe(5);
  });

  it('forgets the parameters of a strategy that is replaced by another', () => {
    const base = changedPolicy(POLICY_PRESETS.QUALITY, { strategy: { parameters: { share: 0.2 } } });
    expect(base.strategy).toEqual({ name: 'hybrid', parameters: { share: 0.2 } });
    expect(changedPolicy(base, { strategy: { name: 'margin' } }).strategy).toEqual({
      name: 'margin',
      parameters: {},
    });
    expect(changedPolicy(base, { strategy: { name: 'hybrid' } }).strategy).toEqual(base.strategy);
  });

  it.each<[string, PolicyChange]>([
    ['roundSize', { roundSize: 0 }],
    ['roundSize', { roundSize: 1.5 }],
    ['autoAcceptThreshold', { autoAcceptThreshold: 1.01 }],
    ['auditShare', { audit: { share: -0.1 } }],
    ['auditCap', { audit: { cap: Number.NaN } }],
    ['auditErrorLimit', { audit: { errorLimit: 2 } }],
    ['overlap', { overlap: 21 }],
    ['overlapShare', { overlapShare: 1.5 }],
    ['skipLimit', { skipLimit: 0 }],
    ['assignmentMinutes', { assignmentMinutes: 0 }],
    ['graceSeconds', { graceSeconds: -1 }],
    ['goldShare', { gold: { share: 0.2 } }],
    ['workSessionMinutes', { workSession: { minutes: -1 } }],
    ['breakMinutes', { workSession: { breakMinutes: 1_441 } }],
    [
      'hiddenShare',
      {
        suggestions: 'SHOWN',
        hiddenShare: 0.05,
        autoAcceptThreshold: 0.9,
        audit: { share: 0.1, cap: 9 },
      },
    ],
    ['hiddenShare', { hiddenShare: 1.1 }],
    ['priorityThreshold', { priority: { threshold: -1 } }],
  ])('refuses %s out of its range, and names it as the API does', (field, change) => {
    const scenario = project();
    scenario
      .when('changePolicy', { by: 'owner', change })
      .thenRefused('INVALID_INPUT', { field: `policy.${field}` });
    expect(() => changedPolicy(POLICY_PRESETS.QUALITY, change)).toThrow(Refusal);
    expect(POLICY_INPUT).toContain(`  ${field}:`);
  });
});
