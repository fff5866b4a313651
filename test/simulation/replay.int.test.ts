import { describe, expect, it } from 'vitest';
import { BUGS } from './planted.ts';
import { explain, simulate } from './simulation.ts';

const [unfenced] = BUGS;

describe('a seed', () => {
  it('tells the same story every time, byte for byte', { timeout: 60_000 }, async () => {
    for (let seed = 1; seed <= 25; seed++) {
      const once = `${(await simulate(seed)).story}`;
      expect(once.length).toBeGreaterThan(1_000);
      expect(`${(await simulate(seed)).story}`).toBe(once);
    }
  });

  it('tells another story than others', async () => {
    expect(`${(await simulate(1)).story}`).not.toBe(`${(await simulate(2)).story}`);
  });

  it('fails in the same way every time, and tells how it came to that', async () => {
    const run = await simulate(2, unfenced);
    const explanation = explain(run);
    expect(explanation).toMatch(/^seed 2: commit \d+ of the project/);
    expect(explanation).toMatch(/ \d+\.\d{3}s {2}(node [ABC]|store) /);
    expect(explanation).toContain('SIM_SEED=2 SIM_RUNS=1 npx vitest run');
    expect(explanation.split('\n').length).toBeLessThan(100);
    expect(explain(await simulate(2, unfenced))).toBe(explanation);
  });
});
