import { expect, it } from 'vitest';
import { DriftReport } from './counter-run.ts';
import { logLines } from '../../../../../tests/support/components/log-lines.ts';

it('logs once that more was counted than inserted, when two readings agree, and once that it is over', () => {
  const { logger, lines } = logLines();
  const report = new DriftReport(logger);
  const said = (...readings: (number | undefined)[]): unknown[] => {
    const before = lines.length;
    for (const reading of readings) report.found(reading);
    return lines.slice(before).map(({ msg, rows }) => rows ?? msg);
  };
  expect(said(0, 5, undefined, -1, 0)).toEqual([]);
  expect(said(-3, -4, -5)).toEqual([4]);
  expect(said(2, 0)).toEqual(['Counted rows no longer exceed inserted rows']);
});
