import { type Crossing, type Curve, meanCurve } from './learning-curve.ts';

export interface ChartSeries {
  readonly name: string;
  /** One curve a seed. Of several, the mean is drawn thick and each one thin. */
  readonly runs: readonly Curve[];
}

export interface ChartOptions {
  readonly title: string;
  readonly subtitle?: string;
  /** What accuracy is measured on; default: held-out mail. */
  readonly accuracyOf?: string;
  /** What is compared first, what it is compared with last. */
  readonly series: readonly ChartSeries[];
  readonly crossing?: Crossing | undefined;
}

const size = { width: 860, height: 520 };
const plot = { left: 76, right: 832, top: 112, bottom: 452 };
const ink = { text: '#1f2328', muted: '#59636e', grid: '#e5e8eb', paper: '#ffffff' };
/** Told apart by lightness too, so also in print and by the colour-blind. */
const colours = ['#0b5cad', '#d9730d', '#3d8f5f', '#8250df'];

/** Learning curves as an SVG document: labels spent to the right, held-out accuracy upwards. */
export function learningCurveChart({
  title,
  subtitle,
  accuracyOf = 'held-out mail',
  series,
  crossing,
}: ChartOptions): string {
  const lines = series.map(({ name, runs }, i) => ({
    name,
    runs,
    mean: meanCurve(runs),
    colour: colours[i % colours.length] ?? ink.text,
  }));
  const points = lines.flatMap(({ runs, mean }) => [...runs.flat(), ...mean]);
  const xTicks = ticks(0, Math.max(1, ...points.map(({ labels }) => labels)), 8);
  const accuracies = points.map(({ accuracy }) => accuracy);
  const yTicks = ticks(Math.min(1, ...accuracies), Math.min(1, Math.max(0, ...accuracies) + 0.002), 7);
  const x = scale(xTicks, plot.left, plot.right);
  const y = scale(yTicks, plot.bottom, plot.top);
  const path = (curve: Curve): string =>
    curve
      .map(({ labels, accuracy }, i) => `${i === 0 ? 'M' : 'L'}${round(x(labels))} ${round(y(accuracy))}`)
      .join('');

  const description = lines
    .map(({ name, mean }) => `${name} ends at ${percent(mean.at(-1)?.accuracy ?? 0, 1)}`)
    .join(', ');
  const decimals = step(yTicks) < 0.0099 ? 1 : 0;
  let legendX = plot.left;
  return `${[
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${size.width} ${size.height}" width="${size.width}" height="${size.height}" role="img" aria-labelledby="title desc" font-family="system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif" font-size="14" fill="${ink.text}">`,
    `<title id="title">${xml(title)}</title>`,
    `<desc id="desc">${xml(`Held-out accuracy by human labels spent: ${description}.`)}</desc>`,
    `<rect width="100%" height="100%" fill="${ink.paper}"/>`,
    text(plot.left, 36, title, 'font-size="20" font-weight="600"'),
    subtitle ? text(plot.left, 60, subtitle, `fill="${ink.muted}"`) : '',

    ...yTicks.map(
      (tick) =>
        `<path d="M${plot.left} ${round(y(tick))}H${plot.right}" stroke="${ink.grid}"/>` +
        text(plot.left - 10, y(tick) + 5, percent(tick, decimals), `text-anchor="end" fill="${ink.muted}"`),
    ),
    ...xTicks.map(
      (tick) =>
        `<path d="M${round(x(tick))} ${plot.bottom}v6" stroke="${ink.muted}"/>` +
        text(x(tick), plot.bottom + 24, String(tick), `text-anchor="middle" fill="${ink.muted}"`),
    ),
    `<path d="M${plot.left} ${plot.bottom}H${plot.right}" stroke="${ink.muted}"/>`,
    text((plot.left + plot.right) / 2, plot.bottom + 52, 'human labels spent', 'text-anchor="middle"'),
    text(
      0,
      0,
      `accuracy on ${accuracyOf}`,
      `text-anchor="middle" transform="translate(22 ${(plot.top + plot.bottom) / 2}) rotate(-90)"`,
    ),

    ...lines.flatMap(({ runs, colour }) =>
      runs.length < 2
        ? []
        : runs.map(
            (run) =>
              `<path d="${path(run)}" fill="none" stroke="${colour}" stroke-opacity="0.22" stroke-linejoin="round"/>`,
          ),
    ),
    ...[...lines]
      .reverse()
      .map(
        ({ name, runs, mean, colour }) =>
          `<g data-series="${xml(name)}"><path d="${path(mean)}" fill="none" stroke="${colour}" stroke-width="2.5" stroke-linejoin="round" stroke-linecap="round"/>` +
          (runs.length > 1
            ? ''
            : mean
                .map(
                  (p) =>
                    `<circle cx="${round(x(p.labels))}" cy="${round(y(p.accuracy))}" r="3" fill="${colour}"/>`,
                )
                .join('')) +
          '</g>',
      ),
    crossing ? annotate(crossing, x, y) : '',
    ...lines.map(({ name, runs, colour }) => {
      const label = runs.length > 1 ? `${name} (mean of ${runs.length} seeds)` : name;
      const at = legendX;
      legendX += 62 + 7.8 * label.length;
      return (
        `<path d="M${at} 86h28" stroke="${colour}" stroke-width="3" stroke-linecap="round"/>` +
        text(at + 36, 91, label)
      );
    }),
    '</svg>',
  ]
    .filter((part) => part !== '')
    .join('\n')}\n`;
}

/** Dashed from the reference's end back to the crossing, and down to the labels it took. */
function annotate(
  crossing: Crossing,
  x: (labels: number) => number,
  y: (accuracy: number) => number,
): string {
  const { labels, accuracy, referenceLabels, share } = crossing;
  const at = { x: x(labels), y: y(accuracy) };
  // Beside the vertical line, on the side with more room.
  const right = at.x < (plot.left + plot.right) / 2;
  const place = right ? at.x + 12 : at.x - 12;
  const anchor = `text-anchor="${right ? 'start' : 'end'}" paint-order="stroke" stroke="${ink.paper}" stroke-width="4" stroke-linejoin="round"`;
  return [
    `<g data-part="crossing"><path d="M${round(x(referenceLabels))} ${round(at.y)}H${round(at.x)}V${plot.bottom}" fill="none" stroke="${ink.text}" stroke-dasharray="3 4"/>`,
    `<circle cx="${round(at.x)}" cy="${round(at.y)}" r="5" fill="${ink.paper}" stroke="${ink.text}" stroke-width="2"/>`,
    text(
      place,
      plot.bottom - 36,
      `${labels} labels instead of ${referenceLabels}`,
      `${anchor} font-weight="600"`,
    ),
    text(
      place,
      plot.bottom - 16,
      `${percent(share, 0)} of the cost for ${percent(accuracy, 1)}`,
      `${anchor} fill="${ink.muted}"`,
    ),
    '</g>',
  ].join('');
}

/** Round numbers (1, 2 or 5 times a power of ten apart) from at most `low` to at least `high`. */
function ticks(low: number, high: number, wanted: number): number[] {
  const raw = Math.max((high - low) / wanted, 1e-4);
  const power = 10 ** Math.floor(Math.log10(raw));
  const apart = ([1, 2, 5].find((factor) => factor * power >= raw * 0.999) ?? 10) * power;
  const first = Math.floor(low / apart + 1e-9);
  const last = Math.max(first + 1, Math.ceil(high / apart - 1e-9));
  return Array.from({ length: last - first + 1 }, (_, i) => Number(((first + i) * apart).toPrecision(10)));
}

function step(values: readonly number[]): number {
  return (values[1] ?? 1) - (values[0] ?? 0);
}

function scale(domain: readonly number[], from: number, to: number): (value: number) => number {
  const low = domain[0] ?? 0;
  const high = domain.at(-1) ?? 1;
  return (value) => from + ((value - low) / (high - low)) * (to - from);
}

function text(x: number, y: number, content: string, attributes = ''): string {
  return `<text x="${round(x)}" y="${round(y)}" ${attributes}>${xml(content)}</text>`;
}

function percent(value: number, decimals: number): string {
  return `${(100 * value).toFixed(decimals)} %`;
}

function round(value: number): string {
  return String(Math.round(value * 10) / 10);
}

function xml(content: string): string {
  return content.replace(/[&<>"]/g, (char) => `&#${char.charCodeAt(0)};`);
}
