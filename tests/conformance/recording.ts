import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Page } from './case-runner.ts';
import type { ConformanceCase } from './conformance-case.ts';

const FILE = fileURLToPath(new URL('expected.json', import.meta.url));

/** The response of the stock Collector, by the name of the case. */
export interface Recording {
  readonly [name: string]: {
    /** Hash of the input, so that a changed case is recorded again. */
    readonly input: string;
    readonly page: Page;
  };
}

export function readRecording(): Recording {
  return JSON.parse(readFileSync(FILE, 'utf8')) as Recording;
}

export function writeRecording(cases: readonly ConformanceCase[], pages: ReadonlyMap<string, Page>): void {
  const recording: Recording = Object.fromEntries(
    cases.map((one) => [one.name, { input: inputHash(one), page: pages.get(one.name) ?? [] }]),
  );
  writeFileSync(FILE, `${JSON.stringify(recording, undefined, 1)}\n`);
}

export function inputHash({ config, requests, waitMs, accept, connector, processors = {} }: ConformanceCase): string {
  const input = JSON.stringify([
    config,
    requests,
    waitMs,
    accept,
    ...(connector === undefined ? [] : [connector]),
    ...Object.values(processors),
  ]);
  return createHash('sha256').update(input).digest('hex').slice(0, 16);
}
