import type { Metric } from '../../../metrics/metric.ts';
import type { DbPollerConfig } from './config.ts';
import type { ExactQuery } from './exact-query.ts';
import type { Pack, StatePoll } from './query.ts';
import type { OwnQueryConfig, OwnRowsConfig } from './user-queries/config.ts';
import { ownGauge } from './user-queries/gauge.ts';

/** Of the receiver's: how rarely slow queries are polled. */
const SLOW_INTERVALS = 4;

interface Plan {
  /** Names it in logs and metrics. */
  readonly id: string;
  /** Where the configuration gives it more time. */
  readonly timeoutPlace: string;
  readonly intervalMs: number;
  readonly timeoutMs: number;
  /** Whose schema it asks; undefined for those of the user. */
  readonly pack: Pack | undefined;
}

export interface PlannedState extends Plan {
  readonly kind: 'state';
  readonly query: StatePoll;
  /** The metrics by the names of their columns, where the catalogue does not describe them. */
  readonly described?: Readonly<Record<string, Metric>>;
}

export interface PlannedRows extends Plan {
  readonly kind: 'rows';
  readonly query: ExactQuery;
}

/** Rows of a table of the user's, of which the database knows more than the configuration. */
export interface PlannedOwnRows extends Plan {
  readonly kind: 'own_rows';
  readonly config: OwnRowsConfig;
}

export type PlannedQuery = PlannedState | PlannedRows | PlannedOwnRows;

/** Everything that this configuration asks the database for, one by one. */
export function plannedQueries(config: DbPollerConfig, packs: readonly Pack[]): PlannedQuery[] {
  return [...packs.flatMap((pack) => ofPack(pack, config)), ...config.queries.map((query) => ofUser(query, config))];
}

function ofPack(pack: Pack, config: DbPollerConfig): PlannedQuery[] {
  const planOf = (name: string, isSlow = false): Plan => {
    const { collection_interval, timeout } = pack.overrides[name] ?? {};
    return {
      id: `${pack.name}.${name}`,
      timeoutPlace: `packs::${pack.name}::queries::${name}::timeout`,
      intervalMs: collection_interval ?? config.collection_interval * (isSlow ? SLOW_INTERVALS : 1),
      timeoutMs: timeout ?? config.timeout,
      pack,
    };
  };
  return [
    ...Object.entries(pack.queries).map(([name, query]) => ({
      kind: 'state' as const,
      query,
      ...planOf(name, query.isSlow),
    })),
    ...Object.entries(pack.exactQueries ?? {}).map(([name, query]) => ({
      kind: 'rows' as const,
      query,
      ...planOf(name, query.isSlow),
    })),
  ];
}

function ofUser(query: OwnQueryConfig, config: DbPollerConfig): PlannedQuery {
  const plan: Plan = {
    id: query.name,
    timeoutPlace: `timeout of ${query.name} in queries`,
    intervalMs: query.collection_interval ?? config.collection_interval,
    timeoutMs: query.timeout ?? config.timeout,
    pack: undefined,
  };
  return query.kind === 'gauge'
    ? { kind: 'state', ...ownGauge(query), ...plan }
    : { kind: 'own_rows', config: query, ...plan };
}
