import { type AnswerColumns, isAnswer } from './answerColumns.ts';
import { MODES } from './assignmentTable.ts';
import type { JointRatings, TimedRating } from './jointRatings.ts';
import type { SuggestionMode } from './policy.ts';
import { NONE } from './sampleTable.ts';
import { knownEffects, revealedEffect, type SuggestionEffect, shownEffect } from './suggestionEffect.ts';

/**
 * How far suggestions make people agree with each other: how often the oldest two answers to a sample are the same, where
 * both saw one and where neither did. One pair a sample, so that pairs are independent of each other; those of which one
 * saw it are in neither.
 */
export function agreementByMode(joint: readonly JointRatings[], columns: AnswerColumns): SuggestionEffect[] {
  const shown = { answers: 0, agreeing: 0 };
  const hidden = { answers: 0, agreeing: 0 };
  const revealed = { both: 0, onlyFirst: 0, onlyLast: 0, neither: 0 };
  for (const [one, other] of joint) {
    if (one === undefined || other === undefined) continue;
    const [mode, isOffered] = wayOf(one, columns);
    const [otherMode, isOtherOffered] = wayOf(other, columns);
    if (mode !== otherMode || isOffered !== isOtherOffered) continue;
    if (!isComparable(one, mode) || !isComparable(other, mode)) continue;
    const agrees = one.label === other.label;
    if (mode === 'SHOWN') {
      const counted = isOffered ? shown : hidden;
      counted.answers++;
      if (agrees) counted.agreeing++;
    }
    // What was taken back and not given again has no last answer.
    if (mode !== 'AFTER_FIRST_ANSWER' || !isOffered || !hasLast(one) || !hasLast(other)) continue;
    const agreesNow = columns.label[one.row] === columns.label[other.row];
    revealed[agrees ? (agreesNow ? 'both' : 'onlyFirst') : agreesNow ? 'onlyLast' : 'neither']++;
  }
  return knownEffects(shownEffect(hidden, shown), revealedEffect(revealed));

  // Where nothing was predicted, or an audit was asked, it is not by chance that there was no suggestion.
  function isComparable({ row, draw }: TimedRating, mode: SuggestionMode): boolean {
    return columns.predicted[row] !== NONE && !(mode === 'SHOWN' && draw === 'AUDIT');
  }

  function hasLast({ row }: TimedRating): boolean {
    return isAnswer(columns, row);
  }
}

function wayOf({ row }: TimedRating, { mode, suggestion }: AnswerColumns): [SuggestionMode, boolean] {
  return [MODES[mode[row] as number] as SuggestionMode, suggestion[row] !== NONE];
}
