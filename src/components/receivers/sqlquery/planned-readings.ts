import type { Signal } from '../../../engine/component.ts';
import type { QueryConfig } from './config.ts';

/** A query that is run for one signal. */
export interface PlannedReading {
  /** Unique; identifies it in logs and metrics. */
  readonly id: string;
  readonly query: QueryConfig;
  readonly signal: 'metrics' | 'logs';
}

interface Plan {
  readonly planned: readonly PlannedReading[];
  /** The readings without a pipeline, as `id: signal`. */
  readonly unused: readonly string[];
}

/** Plans the readings: a query with metrics and logs is run for each of them. */
export function plannedReadings(queries: readonly QueryConfig[], signals: ReadonlySet<Signal>): Plan {
  const taken = new Set(queries.flatMap(({ name }) => name ?? []));
  const all = queries.flatMap((query): PlannedReading[] => {
    const name = query.name ?? unique(query.metrics[0]?.metric_name ?? 'logs', taken);
    taken.add(name);
    const hasBoth = query.metrics.length > 0 && query.logs.length > 0;
    return [
      ...(query.metrics.length > 0 ? [{ id: name, query, signal: 'metrics' as const }] : []),
      ...(query.logs.length > 0 ? [{ id: hasBoth ? `${name}/logs` : name, query, signal: 'logs' as const }] : []),
    ];
  });
  const planned = all.filter(({ signal }) => signals.has(signal));
  return { planned, unused: all.filter((one) => !planned.includes(one)).map(({ id, signal }) => `${id}: ${signal}`) };
}

function unique(name: string, taken: ReadonlySet<string>): string {
  let candidate = name;
  for (let number = 2; taken.has(candidate); number++) candidate = `${name}#${number}`;
  return candidate;
}
