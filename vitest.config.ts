import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const conditions = ['source', 'node', 'import', 'default'];
// Node loads graphql's main file, Vite would load its module beside it: one process may hold it only once.
const graphql = { find: /^graphql$/, replacement: fileURLToPath(import.meta.resolve('graphql')) };
const shared = { resolve: { conditions, alias: [graphql] }, ssr: { resolve: { conditions } } };
// Test files of one worker share what they import: loading the schema for each of them took a quarter of the time.
const together = { isolate: false, testTimeout: 60_000, hookTimeout: 60_000 };

/** Unit: pure, in milliseconds. Int, compiled: real parts in this process. E2e: real processes, the built service. */
export default defineConfig({
  test: {
    // The second says at the end which tests were left out for want of a server.
    reporters: ['default', './test/support/unrun.ts'],
    // All cores: by default one is left idle, which on two is half of them.
    maxWorkers: '100%',
    projects: [
      {
        ...shared,
        test: {
          name: 'unit',
          include: ['test/**/*.unit.test.ts', 'plugins/**/*.test.ts'],
          ...together,
        },
      },
      { ...shared, test: { name: 'int', include: ['test/**/*.int.test.ts'], ...together } },
      {
        ...shared,
        // The API again, with every operation compiled: both ways of running one must answer alike.
        test: {
          name: 'compiled',
          include: ['test/api/**/*.int.test.ts', 'test/http/{direct,websocket}.int.test.ts'],
          // What these promise is done by the strategies' threads, whatever runs the operation.
          exclude: ['test/api/{replay,stopping,strategies,strategyInputs}.int.test.ts'],
          env: { CONCORD_TEST_COMPILE: '1' },
          ...together,
        },
      },
      {
        ...shared,
        test: {
          name: 'e2e',
          include: ['test/**/*.e2e.test.ts'],
          globalSetup: ['test/support/build.ts'],
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
});
