import { MIN_FOR_BAND } from './agreementFigure.ts';
import type { Counted } from './changeTest.ts';
import type { SuggestionMode } from './policy.ts';
import {
  differenceOf,
  type PairedCounts,
  pairedDifference,
  type ShareDifference,
} from './shareDifference.ts';
import { tooFew, type Withheld } from './workFigures.ts';

/** How far suggestions of one mode sway people: something that is counted with them, and without. */
export interface SuggestionEffect {
  readonly mode: SuggestionMode;
  /**
   * SHOWN: asked in that mode, but hidden by the share of all work that is drawn for that; AFTER_FIRST_ANSWER: the first
   * answers.
   */
  readonly without: Counted;
  /** SHOWN: those beside which it stood; AFTER_FIRST_ANSWER: what the first answers have become. */
  readonly with: Counted;
  /** With less without. */
  readonly difference: ShareDifference | Withheld;
}

/** Where suggestions were shown to some and, by chance alone, hidden from others. */
export function shownEffect(without: Counted, withIt: Counted): SuggestionEffect {
  const n = Math.min(without.answers, withIt.answers);
  return {
    mode: 'SHOWN',
    without,
    with: withIt,
    difference: orWithheld(n, () => differenceOf(without, withIt)),
  };
}

/** Where they came after the first answer: the same ones, before and since. */
export function revealedEffect(counts: PairedCounts): SuggestionEffect {
  const { both, onlyFirst, onlyLast, neither } = counts;
  const answers = both + onlyFirst + onlyLast + neither;
  return {
    mode: 'AFTER_FIRST_ANSWER',
    without: { answers, agreeing: both + onlyFirst },
    with: { answers, agreeing: both + onlyLast },
    difference: orWithheld(answers, () => pairedDifference(counts)),
  };
}

/** Those of which there is anything. */
export function knownEffects(...effects: readonly SuggestionEffect[]): SuggestionEffect[] {
  return effects.filter((effect) => effect.without.answers + effect.with.answers > 0);
}

function orWithheld(n: number, figure: () => ShareDifference): ShareDifference | Withheld {
  return n < MIN_FOR_BAND ? tooFew(n) : figure();
}
