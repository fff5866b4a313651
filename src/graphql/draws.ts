import type { Priority } from '../domain/announced.ts';
import type { Draw } from '../domain/events.ts';
import { enumType } from './builder.ts';

/** Why a sample was asked, and how much it was worth asking. */

export const DrawEnum = enumType<Draw>('Draw', 'Why a sample was asked.', {
  UNCERTAIN: "Chosen by the round's strategy.",
  RANDOM: 'Of the random share.',
  POOL: "In the pool's order, while no round was open.",
  AUDIT: 'To check what was auto-accepted.',
  GOLD: 'To see whether attention holds: what it is, is known.',
  EXTRA_OPINION: 'Because those who were asked before disagree.',
  REPEAT: 'To see whether somebody says again what they said of it before. It counts for nothing else.',
});

export const PriorityEnum = enumType<Priority>('Priority', 'How much a sample is worth asking.', {
  HIGH: "Above the policy's threshold.",
  MEDIUM: 'Not above it.',
});

/** A score as it is answered; null: the strategy gave none. */
export function finite(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}
