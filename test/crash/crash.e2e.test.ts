import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Build, buildWith, FREQUENT_SNAPSHOTS } from './build.ts';
import { crashRun } from './run.ts';

/** CI kills fifty. */
const KILLS = Number(process.env['CRASH_KILLS'] ?? 15);
const SEED = Number(process.env['CRASH_SEED'] ?? Date.now() % 2 ** 32);
/** Far longer than a kill and a start take. */
const LONGEST_MS = 10_000;

let build: Build;
beforeAll(async () => {
  build = await buildWith(FREQUENT_SNAPSHOTS);
});
afterAll(() => build.remove());

it(`a service loses nothing that it has acknowledged, and tells nothing that it loses, over ${KILLS} kills`, {
  timeout: 60_000 + KILLS * LONGEST_MS,
}, async () => {
  console.info(`CRASH_SEED=${SEED} CRASH_KILLS=${KILLS}`);
  const report = await crashRun({ seed: SEED, kills: KILLS, build });
  console.info(JSON.stringify(report));
  expect(report.kills).toBe(KILLS);
  expect(report.verified).toMatch(/^\S+: identical \(\d+ commits, \d+ chunks, snapshot at \d+\)\n$/);
  // It was a load, and the kills have hit it.
  expect(report.acknowledged).toBeGreaterThan(KILLS * 5);
  expect(report.unanswered.committed + report.unanswered.lost).toBeGreaterThan(KILLS / 2);
  expect(report.snapshots).toBeGreaterThan(0);
  expect(report.announced).toBeGreaterThan(KILLS);
});
