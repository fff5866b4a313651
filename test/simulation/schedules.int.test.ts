import { expect, it } from 'vitest';
import { explain, simulate } from './simulation.ts';

/** `SIM_SEED`: the first seed; `SIM_RUNS`: how many. CI runs a thousand. */
const FIRST = Number(process.env['SIM_SEED'] ?? 1);
const RUNS = Number(process.env['SIM_RUNS'] ?? 200);

it(`keeps every promise in ${RUNS} schedules`, { timeout: 60_000 + 1_000 * RUNS }, async () => {
  let commits = 0;
  let sights = 0;
  let repeats = 0;
  for (let seed = FIRST; seed < FIRST + RUNS; seed++) {
    const run = await simulate(seed);
    if (run.violation !== null) expect.fail(explain(run));
    commits += run.commits;
    sights += run.sights;
    repeats += run.repeats;
    // Whoever waits for an answer of this process gets a turn.
    await new Promise(setImmediate);
  }
  // A simulation in which nothing happens finds nothing.
  if (RUNS < 20) return;
  expect(commits / RUNS).toBeGreaterThan(20);
  expect(sights / RUNS).toBeGreaterThan(50);
  if (RUNS >= 300) expect(repeats).toBeGreaterThan(0);
});
