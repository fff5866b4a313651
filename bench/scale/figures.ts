/** Milliseconds that a share of all operations took at most. */
export interface Latency {
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
}

export function latency(milliseconds: readonly number[]): Latency {
  const sorted = Float64Array.from(milliseconds).sort();
  const at = (share: number) =>
    sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
  return { p50: at(0.5), p95: at(0.95), p99: at(0.99) };
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const [low = Number.NaN, high = Number.NaN] = [sorted[Math.ceil(sorted.length / 2) - 1], sorted[middle]];
  return (low + high) / 2;
}

/** The median of each share over several runs. */
export function medianLatency(runs: readonly Latency[]): Latency {
  return {
    p50: median(runs.map(({ p50 }) => p50)),
    p95: median(runs.map(({ p95 }) => p95)),
    p99: median(runs.map(({ p99 }) => p99)),
  };
}

/** A number with thousands apart, such as `1,234`. */
export function count(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}

export function seconds(milliseconds: number): string {
  return `${(milliseconds / 1_000).toFixed(2)} s`;
}

/** Such as `1.2 / 3.4 / 5.6 ms`. */
export function shares({ p50, p95, p99 }: Latency): string {
  return `${[p50, p95, p99].map((value) => value.toFixed(value < 10 ? 1 : 0)).join(' / ')} ms`;
}
