import { describe, expect, it } from 'vitest';
import { BUGS } from './planted.ts';
import { simulate } from './simulation.ts';

/** The most runs that a bug may hide in. */
const WITHIN = 150;

/** A simulation is worth what it finds. */
describe('the simulation', () => {
  it.each(BUGS)('finds $name', { timeout: 60_000 }, async (bug) => {
    let seed = 1;
    let run = await simulate(seed, bug);
    while (run.violation === null && seed < WITHIN) run = await simulate(++seed, bug);
    if (process.env['SIM_REPORT']) console.log(`${bug.name}: seed ${seed}: ${run.violation?.message}`);
    expect(run.violation).not.toBeNull();
  });
});
