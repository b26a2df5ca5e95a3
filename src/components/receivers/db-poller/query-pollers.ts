import type { StorageSpace } from '../../../engine/storage.ts';
import type { DbPollerConfig } from './config.ts';
import { CounterRun } from './counters/counter-run.ts';
import { GaugeRun } from './gauges/gauge-run.ts';
import { maxKeys, type ConfiguredPack, type PlannedQuery } from './plan.ts';
import { UserCounterRun } from './user-queries/counter-run.ts';
import { OptionalRun } from './run/optional-run.ts';
import { QueryPoller } from './run/query-poller.ts';
import type { QueryRun, RunContext } from './run/query-run.ts';
import { SchemaProbe, SchemaReport, tablesOf } from './run/schema.ts';

/** The parts that all queries of a database share. */
export interface Shared {
  /** The id of the receiver. */
  readonly id: string;
  readonly config: DbPollerConfig;
  readonly context: RunContext;
  readonly space: StorageSpace;
}

/** A poller for each query of one database. */
export function queryPollers(
  planned: readonly PlannedQuery[],
  packs: readonly ConfiguredPack[],
  shared: Shared,
): QueryPoller[] {
  const { config, context } = shared;
  const probes = new Map(packs.flatMap((pack) => probeOf(pack, shared)));
  return planned.map((query) => {
    const { id, pack } = query;
    return new QueryPoller(id, queryRun(query, shared), {
      intervalMs: config.wake_interval ?? query.intervalMs,
      probe: pack && probes.get(pack.key),
      isOfUser: pack === undefined,
      context,
    });
  });
}

function queryRun(planned: PlannedQuery, { config, context, space }: Shared): QueryRun {
  const { id, timeoutMs } = planned;
  if (planned.kind === 'gauges') {
    const run = new GaugeRun(id, planned.query, planned, context);
    return planned.pack !== undefined && planned.pack.schema === undefined
      ? new OptionalRun(run, context.logger.child({ query: id }))
      : run;
  }
  const settings = {
    intervalMs: config.wake_interval ?? planned.intervalMs,
    timeoutMs,
    space,
    maxKeys: maxKeys(config),
    reconcileMs: config.reconcile_interval,
    reconcileTimeoutMs: config.reconcile_timeout,
  };
  return planned.kind === 'counters'
    ? new CounterRun(id, planned.query, settings, context)
    : new UserCounterRun(planned.config, settings, context);
}

/** Empty for a pack that reads only what every server has. */
function probeOf(pack: ConfiguredPack, { config, context }: Shared): [string, SchemaProbe][] {
  const { key, name, schema } = pack;
  const isCatalog = schema === undefined;
  if (isCatalog && tablesOf(pack).length === 0) return [];
  const limits = { timeoutMs: config.timeout, retryMs: config.collection_interval };
  const report = new SchemaReport(context.logger.child({ pack: name, schema }), { isExpected: isCatalog });
  let isInUse = false;
  const probe = new SchemaProbe(context.pool, pack, limits, (missing, { isEmpty }) => {
    isInUse ||= !isCatalog && !isEmpty;
    if (isInUse) for (const [query, columns] of missing) context.metrics.lacks(`${name}.${query}`, columns);
    report.found(missing);
  });
  return [[key, probe]];
}
