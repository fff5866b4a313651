import type { ShareDifference } from '../domain/shareDifference.ts';
import type { SuggestionEffect } from '../domain/suggestionEffect.ts';
import { builder } from './builder.ts';
import { CountedType, IntervalType, WithheldType, withheldOr } from './figures.ts';
import { SuggestionModeEnum } from './policy.ts';
import { RunType } from './predictions.ts';

const ShareDifferenceType = builder.objectRef<ShareDifference>('ShareDifference').implement({
  description: 'By how much one share is larger than another.',
  fields: (t) => ({
    value: t.exposeFloat('value', { description: '−1…1.' }),
    interval: t.expose('interval', {
      type: IntervalType,
      description:
        "Newcombe's, of 95 %: of independent shares, or of paired ones where the same answers are looked at twice.",
    }),
  }),
});

const ShareDifferenceResult = builder.unionType('ShareDifferenceResult', {
  description: 'A difference, or why it is held back.',
  types: [ShareDifferenceType, WithheldType],
  ...withheldOr('ShareDifference'),
});

export const SuggestionEffectType = builder.objectRef<SuggestionEffect>('SuggestionEffect').implement({
  description:
    'How far suggestions of one mode sway people: what is counted with them beside what is counted without.',
  fields: (t) => ({
    suggestions: t.expose('mode', { type: SuggestionModeEnum, description: 'SHOWN or AFTER_FIRST_ANSWER.' }),
    without: t.expose('without', {
      type: CountedType,
      description:
        'SHOWN: those from which the share of all work hid the suggestion. AFTER_FIRST_ANSWER: the first answers.',
    }),
    with: t.expose('with', {
      type: CountedType,
      description:
        'SHOWN: those that had it beside them. AFTER_FIRST_ANSWER: what the same answers have become since.',
    }),
    difference: t.expose('difference', {
      type: ShareDifferenceResult,
      description:
        'The share with less the share without. SHOWN: it is due to the suggestion as far as `hiddenShare` did not change meanwhile.',
    }),
  }),
});

builder.objectField(RunType, 'suggestionEffects', (t) =>
  t.field({
    type: [SuggestionEffectType],
    description:
      'How far its suggestions sway people to say what it had predicted: answers, and those that agree with it. One for each mode in which there were any.',
    resolve: ({ suggestionEffects }) => [...suggestionEffects],
  }),
);
