import { Cron } from 'croner';

const MAX_CRON_LENGTH = 128;
const MAX_REMEMBERED = 1000;
/** An alias, or five to seven fields. croner also accepts a single date, which is not a cadence. */
const CRON = /^\s*(@\w+|\S+(\s+\S+){4,6})\s*$/;

/** The same cron texts come at every poll, and some take milliseconds to parse. */
const remembered = new Map<string, Cron | undefined>();

/** Parses a cron text of five to seven fields, or an alias such as `@weekly`, in UTC. Undefined if it is invalid or never matches. */
export function parseCadence(text: string): Cron | undefined {
  if (text.length > MAX_CRON_LENGTH || !CRON.test(text)) return undefined;
  if (!remembered.has(text)) {
    if (remembered.size >= MAX_REMEMBERED) remembered.clear();
    remembered.set(text, understand(text));
  }
  return remembered.get(text);
}

/**
 * Seconds since a run was first due after `sinceSeconds`; 0 if none was due. Without `sinceSeconds`, seconds since the
 * latest time at which a run was due. Times are Unix seconds.
 */
export function overdueSeconds(cadence: Cron, sinceSeconds: number | undefined, nowSeconds: number): number {
  const due =
    sinceSeconds === undefined
      ? cadence.previousRuns(1, new Date(nowSeconds * 1000))[0]
      : cadence.nextRun(new Date(sinceSeconds * 1000));
  return due ? Math.max(0, nowSeconds - due.getTime() / 1000) : 0;
}

function understand(text: string): Cron | undefined {
  try {
    const cron = new Cron(text, { timezone: 'UTC', paused: true });
    return cron.nextRun() === null ? undefined : cron;
  } catch {
    return undefined;
  }
}
