import { readFileSync } from 'node:fs';

/** /proc counts in USER_HZ, which is 100 on Linux. */
const MICROSECONDS_PER_TICK = 10_000;

/** The user and system CPU time of all threads of a process so far. */
export function cpuMicroseconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // The second field is the program's name, which may contain spaces and parentheses.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * MICROSECONDS_PER_TICK;
}

/** The resident memory of a process. */
export function residentMebibytes(pid: number): number {
  return mebibytes(pid, 'VmRSS');
}

/** The peak resident memory of a process. */
export function peakMebibytes(pid: number): number {
  return mebibytes(pid, 'VmHWM');
}

function mebibytes(pid: number, field: string): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1]) / 1024;
}
