import { defineConfig } from 'vitest/config';
import tsconfig from './tsconfig.json' with { type: 'json' };

/** The examples import the package by its name. Tests use the sources instead of a build, as the type check does. */
const alias = Object.fromEntries(
  Object.entries(tsconfig.compilerOptions.paths).map(([name, [source]]) => [
    name,
    new URL(source!, import.meta.url).pathname,
  ]),
);

const project = (name: string, timeoutMs: number, include = [`tests/${name}/**/*.test.ts`]) => ({
  resolve: { alias },
  test: { name, include, testTimeout: timeoutMs, hookTimeout: timeoutMs },
});

/** Unit tests are next to their sources. */
const nextToTheSource = ['{src,examples}/**/*.test.ts', 'tests/{bench,conformance,repository,support}/**/*.test.ts'];

export default defineConfig({
  test: {
    projects: [
      project('unit', 10_000, nextToTheSource),
      project('contract', 20_000),
      project('integration', 60_000),
      project('dashboards', 60_000),
      project('e2e', 120_000),
    ],
  },
});
