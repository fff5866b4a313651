import { agreementByMode } from './agreementByMode.ts';
import { agreementTrend, type TrendPoint } from './agreementTrend.ts';
import { type AnswerColumns, isAnswer } from './answerColumns.ts';
import { type ClassPair, classPairs } from './classPairs.ts';
import { jointRatings } from './jointRatings.ts';
import type { SuggestionEffect } from './suggestionEffect.ts';

/** What is known only once all answers have been looked through. */
export interface AnswerTallies {
  readonly time: MeasuredTime;
  /** By prediction run: answers given before it was published, of those that stand. */
  readonly answersBefore: readonly number[];
  readonly trend: readonly TrendPoint[];
  readonly classPairs: readonly ClassPair[];
  /** Of people's agreement with each other. */
  readonly suggestionEffects: readonly SuggestionEffect[];
}

/** How long answers took whose time was measured. */
export interface MeasuredTime {
  readonly measured: number;
  /** All together in hours, and the middle one in seconds; null: none was measured. */
  readonly hours: number | null;
  readonly medianSeconds: number | null;
}

/** It takes some tenths of a second for 300,000 answers: not to be done in the thread that serves. */
export function tallyAnswers(columns: AnswerColumns): AnswerTallies {
  const joint = jointRatings(columns);
  return {
    time: measuredTime(columns),
    answersBefore: answersBefore(columns),
    trend: agreementTrend(joint, columns.classes, columns.scale),
    classPairs: classPairs(joint, columns.classes),
    suggestionEffects: agreementByMode(joint, columns),
  };
}

function measuredTime(columns: AnswerColumns): MeasuredTime {
  const told = columns.milliseconds.filter((time, row) => isAnswer(columns, row) && !Number.isNaN(time));
  const seconds = Float64Array.from(told, (time) => time / 1_000);
  const measured = seconds.length;
  const sum = seconds.reduce((total, time) => total + time, 0);
  return { measured, hours: measured === 0 ? null : sum / 3_600, medianSeconds: median(seconds) };
}

function answersBefore(columns: AnswerColumns): number[] {
  const inTime = columns.answeredAt.filter((_, row) => isAnswer(columns, row)).sort();
  let before = 0;
  return Array.from(columns.publishedAt, (publishedAt) => {
    while (before < inTime.length && (inTime[before] as number) <= publishedAt) before++;
    return before;
  });
}

/** Null: there are none. */
export function median(values: Iterable<number>): number | null {
  const sorted = Float64Array.from(values).sort();
  const middle = sorted.length >> 1;
  if (sorted.length === 0) return null;
  const upper = sorted[middle] as number;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] as number)) / 2;
}
