/** Series of a world for promtool, with a value each minute. */
import type { InputSeries } from './promtool.ts';

/** The world ends here, in minutes; every alert has had the time to fire. A job at its beginning is out of sight by then. */
export const END = 500;
/** From here on a job runs, for five minutes, and then its process is gone. */
export const JOB_STARTS = END - 9;
const JOB_MINUTES = 5;
const JOB_ENDS = JOB_STARTS + JOB_MINUTES;

/** There from the beginning to the end. */
export function always(name: string, labels: Readonly<Record<string, string>>, value: number): InputSeries {
  return { series: series(name, labels), values: `${value}x${END}` };
}

/** A counter that appears when a job starts, with what it has by then, and goes with its process. */
export function born(name: string, labels: Readonly<Record<string, string>>, value: number): InputSeries {
  return {
    series: series(name, labels),
    values: `_x${JOB_STARTS} ${value}x${JOB_ENDS - JOB_STARTS} stale`,
  };
}

/** A counter of rows that appears with what was counted when a job starts, as a poller publishes it. */
export function bornRows(name: string, labels: Readonly<Record<string, string>>, value: number): InputSeries {
  return {
    series: series(name, labels),
    values: `_x${JOB_STARTS - 1} 0 ${value}x${JOB_ENDS - JOB_STARTS} stale`,
  };
}

/** The process of the job, which began half a minute before, and that of the earlier job. */
export function processes(labels: Readonly<Record<string, string>>): readonly InputSeries[] {
  const start = 'service_start_timestamp_seconds';
  return [born(start, labels, JOB_STARTS * 60 - 30), counted(start, labels, 0)];
}

/** A sidecar that has been running all along. */
export function uptime(labels: Readonly<Record<string, string>>): InputSeries {
  return growing('otelcol_process_uptime', labels, 60);
}

/** A counter of an earlier job. Its process is long gone. */
export function counted(name: string, labels: Readonly<Record<string, string>>, value: number): InputSeries {
  return { series: series(name, { ...labels, instance: 'earlier' }), values: `${value}x${JOB_MINUTES} stale` };
}

/** A counter that grows each minute. */
export function growing(name: string, labels: Readonly<Record<string, string>>, perMinute: number): InputSeries {
  return { series: series(name, labels), values: `0+${perMinute}x${END}` };
}

/** A counter that existed before. */
export function grown(name: string, labels: Readonly<Record<string, string>>, value: number): InputSeries {
  return { series: series(name, labels), values: `1000x10 ${1000 + value}x${END}` };
}

export function series(name: string, labels: Readonly<Record<string, string>>): string {
  const matchers = Object.entries(labels).map(([label, text]) => `${label}=${JSON.stringify(text)}`);
  return `${name}{${matchers.join(', ')}}`;
}
