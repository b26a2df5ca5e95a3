import { Cron } from 'croner';

const MAX_CRON_LENGTH = 128;
const MAX_REMEMBERED = 1000;
/** An alias, or five to seven fields. croner also accepts a single date, which is not a cadence. */
const CRON = /^\s*(@\w+|\S+(\s+\S+){4,6})\s*$/;

/** The scheduler's clock may be ahead of the database's, and some schedulers start early. */
const EARLY_SHARE = 0.1;
const EARLY_MAX_S = 3600;

/** The same cron texts come at every poll, and some take milliseconds to parse. */
const remembered = new Map<string, Cron | undefined>();

export interface CronText {
  readonly cron: string;
  /** The IANA name of the time zone in which the scheduler reads the text. */
  readonly timezone: string;
}

/** Parses a cron text of five to seven fields, or an alias such as `@weekly`. Undefined if it is invalid or never matches. */
export function parseCadence({ cron, timezone }: CronText): Cron | undefined {
  if (cron.length > MAX_CRON_LENGTH || !CRON.test(cron)) return undefined;
  const key = `${timezone} ${cron}`;
  if (!remembered.has(key)) {
    if (remembered.size >= MAX_REMEMBERED) remembered.clear();
    remembered.set(key, understand(cron, timezone));
  }
  return remembered.get(key);
}

/** The last event that satisfied a cadence, in Unix seconds. */
export interface Satisfied {
  /** The start of a run. It also satisfies a time that is at most 10 % of the period, and at most an hour, later. */
  readonly ranAt?: number | undefined;
  /** Without a run: since when runs are expected. */
  readonly expectedSince?: number | undefined;
}

/**
 * Seconds since a run was first due after the last one; 0 if none was due. If nothing is known, seconds since the latest
 * time at which a run was due. `now` is in Unix seconds.
 */
export function overdueSeconds(cadence: Cron, satisfied: Satisfied, now: number): number {
  const due = isUnknown(satisfied) ? cadence.previousRuns(1, dateOf(now))[0] : dueAfter(cadence, satisfied);
  return due ? Math.max(0, now - secondsOf(due)) : 0;
}

/** How many runs were due after the last one, counted up to `most`. If nothing is known, 0. */
export function dueRuns(cadence: Cron, satisfied: Satisfied, { now, most }: { now: number; most: number }): number {
  if (isUnknown(satisfied)) return 0;
  let count = 0;
  let due = dueAfter(cadence, satisfied);
  while (due && count < most && secondsOf(due) <= now) {
    count++;
    due = cadence.nextRun(due);
  }
  return count;
}

function isUnknown({ ranAt, expectedSince }: Satisfied): boolean {
  return ranAt === undefined && expectedSince === undefined;
}

function dueAfter(cadence: Cron, { ranAt, expectedSince }: Satisfied): Date | null {
  const due = cadence.nextRun(dateOf(ranAt ?? expectedSince ?? 0));
  const next = due && cadence.nextRun(due);
  if (due === null || next === null || ranAt === undefined) return due;
  const early = Math.min(EARLY_SHARE * (secondsOf(next) - secondsOf(due)), EARLY_MAX_S);
  return ranAt >= secondsOf(due) - early ? next : due;
}

function dateOf(seconds: number): Date {
  return new Date(seconds * 1000);
}

function secondsOf(date: Date): number {
  return date.getTime() / 1000;
}

function understand(text: string, timezone: string): Cron | undefined {
  try {
    const cron = new Cron(text, { timezone, paused: true });
    return cron.nextRun() === null ? undefined : cron;
  } catch {
    return undefined;
  }
}
