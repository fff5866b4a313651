import type { Agreement } from '@concord/sdk/driver';
import type { ArmState } from './arm.ts';

const WIDTH = 28;

/** A progress bar on the last line, where the output is a terminal; elsewhere nothing. */
export class ProgressBar {
  readonly #out: NodeJS.WriteStream;

  constructor(out: NodeJS.WriteStream) {
    this.#out = out;
  }

  show(what: string, done: number, of: number): void {
    if (!this.#out.isTTY) return;
    const filled = Math.round((WIDTH * done) / Math.max(1, of));
    this.clear();
    this.#out.write(`${what.padEnd(18)} ${'█'.repeat(filled)}${'░'.repeat(WIDTH - filled)} ${done}/${of}`);
  }

  clear(): void {
    if (this.#out.isTTY) this.#out.write('\r\u001b[K');
  }
}

/** One line for a round, of the arm that is watched beside the one that is drawn at random. */
export function roundLine(state: ArmState, random: ArmState): string {
  const { round, labels, accuracy, accepted, audited, auditErrors } = state;
  return [
    `round ${String(round).padStart(2)}`,
    `${String(labels).padStart(4)} labels`,
    `accuracy ${percent(accuracy)} (random: ${percent(random.accuracy)} at ${random.labels})`,
    `agreement ${pairs(state.agreement)}`,
    `auto-accepted ${String(accepted).padStart(4)}`,
    `audit ${auditErrors} of ${audited} wrong`,
  ].join(' │ ');
}

/** Cohen's kappa of each pair, with its band. */
function pairs({ pairs }: Agreement): string {
  if (pairs.length === 0) return 'no jointly labelled mail yet';
  return pairs
    .map(({ members, kappa }) => {
      const names = members.map(({ name }) => (name ?? '?').charAt(0)).join('–');
      return kappa.__typename === 'Kappa'
        ? `${names} ${kappa.value.toFixed(2)} ${bandWords[kappa.band]}`
        : `${names} undefined`;
    })
    .join(', ');
}

const bandWords = {
  EXCELLENT: 'excellent',
  GOOD: 'good',
  NEEDS_IMPROVEMENT: 'needs improvement',
  UNACCEPTABLE: 'unacceptable',
};

export function percent(share: number, digits = 1): string {
  return `${(100 * share).toFixed(digits)} %`;
}
