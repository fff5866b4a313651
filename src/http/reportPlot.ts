import { type Html, html, raw } from './html.ts';

/** A point of a plot, with how uncertain it is. */
export interface PlotPoint {
  /** Where it lies from left to right. */
  readonly x: number;
  readonly y: number;
  readonly lower: number;
  readonly upper: number;
  /** What a reader is told who points at it. */
  readonly title: string;
}

export interface Plot {
  /** For who cannot see it. */
  readonly label: string;
  readonly points: readonly PlotPoint[];
  /** What `x` is called, and how it is written. */
  readonly xLabel: string;
  readonly xText: (x: number) => string;
  readonly yText: (y: number) => string;
  /** The range of `y` that is always shown. */
  readonly yRange: readonly [number, number];
  /** Lines across, with their names. */
  readonly marks?: readonly { readonly y: number; readonly text: string }[];
}

const SIZE = { width: 720, height: 240 };
const AREA = { left: 56, right: 704, top: 12, bottom: 196 };
const STEPS = 4;

/** Points with their intervals, joined by a line, as SVG that needs nothing else. */
export function plotted({ label, points, xLabel, xText, yText, yRange, marks = [] }: Plot): Html {
  const low = Math.min(yRange[0], ...points.map(({ lower }) => lower));
  const high = Math.max(yRange[1], ...points.map(({ upper }) => upper));
  const xs = points.map(({ x }) => x);
  const [first, last] = [Math.min(...xs), Math.max(...xs)];
  const pad = 24;
  const across = (x: number) =>
    rounded(
      last === first
        ? (AREA.left + AREA.right) / 2
        : AREA.left + pad + ((x - first) / (last - first)) * (AREA.right - AREA.left - 2 * pad),
    );
  const up = (y: number) => rounded(AREA.bottom - ((y - low) / (high - low)) * (AREA.bottom - AREA.top));
  const steps = Array.from({ length: STEPS + 1 }, (_, i) => low + (i / STEPS) * (high - low));
  // The names of places below must not run into each other, nor say the same twice.
  let free = Number.NEGATIVE_INFINITY;
  let before = '';
  const named = points.filter(({ x }) => {
    const name = xText(x);
    const width = 7 * name.length;
    if (name === before || across(x) - width / 2 < free) return false;
    free = across(x) + width / 2 + 8;
    before = name;
    return true;
  });
  return html`<div class="plot"><svg viewBox="0 0 ${SIZE.width} ${SIZE.height}" role="img" aria-label="${label}">
${steps.map((y) => html`<path class="grid" d="M${AREA.left} ${up(y)}H${AREA.right}"/><text class="tick" x="${AREA.left - 8}" y="${up(y) + 4}" text-anchor="end">${yText(y)}</text>`)}
${marks.map(({ y, text }) => html`<path class="mark" d="M${AREA.left} ${up(y)}H${AREA.right}"/><text class="tick" x="${AREA.right}" y="${up(y) - 4}" text-anchor="end">${text}</text>`)}
<path class="line" d="${raw(points.map(({ x, y }, i) => `${i === 0 ? 'M' : 'L'}${across(x)} ${up(y)}`).join(''))}"/>
${points.map(({ x, y, lower, upper, title }) => html`<g><title>${title}</title><path class="interval" d="M${across(x)} ${up(lower)}V${up(upper)}"/><circle cx="${across(x)}" cy="${up(y)}" r="4"/></g>`)}
${named.map(({ x }) => html`<text class="tick" x="${across(x)}" y="${AREA.bottom + 18}" text-anchor="middle">${xText(x)}</text>`)}
<text class="tick" x="${(AREA.left + AREA.right) / 2}" y="${SIZE.height - 6}" text-anchor="middle">${xLabel}</text>
</svg></div>`;
}

function rounded(value: number): number {
  return Math.round(value * 10) / 10;
}
