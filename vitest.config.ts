import { defineConfig } from 'vitest/config';

const conditions = ['source', 'node', 'import', 'default'];
const shared = { resolve: { conditions }, ssr: { resolve: { conditions } } };

/** Unit: pure, in milliseconds. Int: real parts in this process. E2e: real processes, the built service. */
export default defineConfig({
  test: {
    projects: [
      { ...shared, test: { name: 'unit', include: ['test/**/*.unit.test.ts'] } },
      { ...shared, test: { name: 'int', include: ['test/**/*.int.test.ts'], testTimeout: 20_000 } },
      {
        ...shared,
        test: {
          name: 'e2e',
          include: ['test/**/*.e2e.test.ts'],
          testTimeout: 120_000,
          hookTimeout: 120_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
