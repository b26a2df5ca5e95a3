import type { DbPollerConfig } from '../config.ts';
import { OptionalRun } from '../run/optional-run.ts';
import { QueryPoller } from '../run/query-poller.ts';
import type { RunContext } from '../run/query-run.ts';
import { LockWaitsRun } from './lock-waits-run.ts';

const ID = 'lock_waits';
/** A look costs the server less than a millisecond, and shorter waits can be missed. */
const LONGEST_PAUSE_MS = 2000;

/** Looks for waiting sessions at each interval, and repeatedly while there are some. */
export function lockWaitsPoller(config: DbPollerConfig, context: RunContext): QueryPoller {
  const { databases, exclude_databases: excluded, timeout: timeoutMs, collection_interval, lock_waits } = config;
  const { look_interval, sample_interval: sampleIntervalMs } = lock_waits;
  const intervalMs = look_interval ?? Math.min(collection_interval, LONGEST_PAUSE_MS);
  const included = databases === 'all' ? undefined : databases.filter((name) => !excluded.includes(name));
  const run = new LockWaitsRun(context, { databases: included, sampleIntervalMs, timeoutMs });
  const optional = new OptionalRun(run, context.logger.child({ query: ID }));
  return new QueryPoller(ID, optional, { intervalMs, probe: undefined, context });
}
