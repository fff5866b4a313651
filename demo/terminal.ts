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

const COLUMNS = [5, 6, 8, 15, 13, 12];

/** What stands above the lines of the rounds. */
export function roundHeading(): string {
  const heads = ['round', 'labels', 'accuracy', 'random', 'auto-accepted', 'audits wrong'];
  return columns(heads, 'agreement by pair (kappa)');
}

/** One line for a round, of the arm that is watched beside the one that is drawn at random. */
export function roundLine(state: ArmState, random: ArmState): string {
  const cells = [
    String(state.round),
    String(state.labels),
    percent(state.accuracy),
    `${percent(random.accuracy)} at ${random.labels}`,
    String(state.accepted),
    `${state.auditErrors} of ${state.audited}`,
  ];
  return columns(cells, pairs(state.agreement));
}

function columns(cells: readonly string[], last: string): string {
  return [...cells.map((cell, i) => cell.padStart(COLUMNS[i] ?? 0)), last].join('  ').trimEnd();
}

/** Cohen's kappa of each pair, with its band. */
function pairs({ pairs }: Agreement): string {
  if (pairs.length === 0) return 'no jointly labelled mail yet';
  return pairs
    .map(({ members, kappa }) => {
      const names = members
        .map(({ name }) => name ?? '?')
        .sort()
        .join('–');
      return kappa.__typename === 'AgreementFigure'
        ? `${names} ${kappa.value.toFixed(2)} ${BAND_WORDS[kappa.band ?? 'TOO_FEW']}`
        : `${names} undefined (${UNDEFINED_WORDS[kappa.reason]})`;
    })
    .sort()
    .join(', ');
}

const BAND_WORDS = {
  EXCELLENT: 'excellent',
  GOOD: 'good',
  NEEDS_IMPROVEMENT: 'needs improvement',
  UNACCEPTABLE: 'unacceptable',
  TOO_FEW: 'on few mails',
};

const UNDEFINED_WORDS = {
  FEWER_THAN_TWO_ANNOTATORS: 'fewer than two people',
  NO_JOINTLY_LABELLED_SAMPLE: 'no mail in common',
  CHANCE_AGREEMENT_IS_ONE: 'all of one class',
  LABELS_HAVE_NO_ORDER: 'the classes have no order',
  LABELS_HAVE_NO_DISTANCES: 'the classes are no numbers',
};

export function percent(share: number, digits = 1): string {
  return `${(100 * share).toFixed(digits)} %`;
}
