import type { Reporter, TestModule } from 'vitest/node';
import { given, MISSING, NEEDS, type Need } from './needing.ts';

/**
 * Says at the end of a run which tests were skipped for want of what they need, so that nobody takes them for passed.
 *
 * `CONCORD_TEST_REQUIRE` names variables, parted by commas, for each of which at least one test must have passed:
 * with it, a run that has left them out fails.
 */
export default class Unrun implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const passed = new Set<string>();
    const skipped = new Map<string, number>();
    for (const test of modules.flatMap((module) => [...module.children.allTests()])) {
      const { state } = test.result();
      for (const [, need = ''] of test.fullName.matchAll(NEEDS)) {
        if (state === 'passed') passed.add(need);
        if (state === 'skipped' && given(need as Need) === '')
          skipped.set(need, (skipped.get(need) ?? 0) + 1);
      }
    }
    for (const [need, count] of skipped) {
      if (!passed.has(need))
        process.stdout.write(` Not run: ${count} tests, because ${need} ${MISSING[need as Need]}\n`);
    }
    const required = (process.env['CONCORD_TEST_REQUIRE'] ?? '').split(',').filter(Boolean);
    const missing = required.filter((need) => !passed.has(need));
    if (missing.length > 0) {
      process.stderr.write(` No test has passed of those that need ${missing.join(' and ')}\n`);
      process.exitCode = 1;
    }
  }
}
