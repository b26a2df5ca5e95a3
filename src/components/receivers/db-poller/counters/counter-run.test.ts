import { expect, it } from 'vitest';
import { DriftReport, UncountedRows } from './counter-run.ts';
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

it('knows the uncounted rows until the statistics are reset, are unknown, or the table cannot be read', () => {
  const rows = new UncountedRows();
  expect(rows.whileStatisticsGrow(5)).toBeUndefined();
  rows.found(3, 6);
  expect([6, 7].map((inserted) => rows.whileStatisticsGrow(inserted))).toEqual([3, 3]);
  expect([1, 7].map((inserted) => rows.whileStatisticsGrow(inserted))).toEqual([undefined, undefined]);
  rows.found(2, 7);
  expect([7, undefined, 7].map((inserted) => rows.whileStatisticsGrow(inserted))).toEqual([2, undefined, undefined]);
  rows.found(-1, 7);
  expect(rows.whileStatisticsGrow(7)).toBeUndefined();
  // Statistics that come later, without another write.
  rows.arrived(-1, 8);
  expect(rows.whileStatisticsGrow(8)).toBeUndefined();
  rows.arrived(2, 9);
  expect(rows.whileStatisticsGrow(9)).toBe(2);
  rows.arrived(5, 10);
  expect(rows.whileStatisticsGrow(10)).toBe(2);
  rows.found(0, 7);
  rows.forget();
  expect(rows.whileStatisticsGrow(7)).toBeUndefined();
});
