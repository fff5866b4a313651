/** One line of the table. */
export interface Row {
  readonly what: string;
  readonly figure: string;
  /** Empty where nothing is aimed at. */
  readonly aim: string;
  /** Whether the aim is met; null without one. */
  readonly met: boolean | null;
  /** How it was measured, and what the same machine does without Concord. */
  readonly note: string;
}

/** A line with nothing to reach. */
export function told(what: string, figure: string, note = ''): Row {
  return { what, figure, aim: '', met: null, note };
}

/** A line whose value should be at least, or at most, so much. */
export function aimed(
  what: string,
  figure: string,
  { value, least, most, unit }: { value: number; least?: number; most?: number; unit: string },
  note = '',
): Row {
  const bound = least ?? most ?? Number.NaN;
  return {
    what,
    figure,
    aim: `${least === undefined ? '≤' : '≥'} ${bound.toLocaleString('en-US')} ${unit}`,
    met: least === undefined ? value <= bound : value >= bound,
    note,
  };
}

/** The lines as a Markdown table. */
export function table(rows: readonly Row[]): string {
  const lines = rows.map(({ what, figure, aim, met, note }) => {
    const reached = met === null ? '' : met ? 'yes' : '**no**';
    return `| ${what} | ${figure} | ${aim} | ${reached} | ${note} |`;
  });
  return ['| what | figure | aim | met | how |', '| --- | --- | --- | --- | --- |', ...lines].join('\n');
}
