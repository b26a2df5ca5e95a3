import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';
import tsconfig from './tsconfig.json' with { type: 'json' };

/** The examples import the package by its name. Tests use the sources instead of a build, as the type check does. */
const alias = Object.fromEntries(
  Object.entries(tsconfig.compilerOptions.paths).map(([name, [source]]) => [
    name,
    new URL(source!, import.meta.url).pathname,
  ]),
);

const project = (name: string, timeoutMs: number, include = [`tests/${name}/**/*.test.ts`], isolate = true) => ({
  resolve: { alias },
  test: { name, include, isolate, testTimeout: timeoutMs, hookTimeout: timeoutMs, env },
});

/** The sources are started as programs hundreds of times: with their code kept, a start takes half of the time. */
const env = { NODE_COMPILE_CACHE: new URL('node_modules/.cache/siphon/compiled', import.meta.url).pathname };

/** Unit tests are next to their sources. */
const nextToTheSource = [
  '{src,examples,scripts}/**/*.test.ts',
  'tests/{bench,conformance,repository,support}/**/*.test.ts',
];

export default defineConfig({
  test: {
    // Most tests wait for databases and timers: on two cores, three workers are faster than two.
    maxWorkers: Math.max(3, availableParallelism()),
    // CI shares its processor with other machines, and many tests measure time. The report marks what was repeated.
    retry: process.env['CI'] === undefined ? 0 : 2,
    projects: [
      // Unit tests share the modules of a worker: loading them again for each file takes longer than the tests.
      project('unit', 10_000, nextToTheSource, false),
      project('contract', 20_000),
      project('integration', 60_000),
      project('dashboards', 60_000),
      project('e2e', 120_000),
    ],
  },
});
