import { defineConfig } from 'vitest/config';

const project = (name: string, timeoutMs: number, include = [`tests/${name}/**/*.test.ts`]) => ({
  test: { name, include, testTimeout: timeoutMs, hookTimeout: timeoutMs },
});

/** A unit test stands next to its source. */
const besideTheSource = ['{src,examples}/**/*.test.ts', 'tests/{bench,conformance,repository,support}/**/*.test.ts'];

export default defineConfig({
  test: {
    projects: [
      project('unit', 10_000, besideTheSource),
      project('contract', 20_000),
      project('integration', 60_000),
      project('dashboards', 60_000),
      project('e2e', 120_000),
    ],
  },
});
