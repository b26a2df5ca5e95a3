import { expect, test } from 'vitest';
import { runCases } from '../conformance/case-runner.ts';
import { cases } from '../conformance/cases.ts';
import { declaredIds } from '../conformance/declared-ids.ts';
import { readRecording } from '../conformance/recording.ts';
import { judge } from '../conformance/verdict.ts';
import { siphonFromSource } from '../support/processes/collector-process.ts';

test('the scrape page is what the stock Collector shows, but for the differences that are declared', async () => {
  const pages = await runCases(siphonFromSource, cases);
  const verdict = judge({ cases, recording: readRecording(), pages, declaredIds: declaredIds() });
  expect(verdict.problems).toEqual([]);
});
