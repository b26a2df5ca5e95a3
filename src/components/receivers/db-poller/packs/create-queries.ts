import { isDeepStrictEqual } from 'node:util';
import type { Metric } from '../../../../metrics/metric.ts';
import type { DatabasePack, PackQueries, QuerySet } from '../query.ts';

/** A pack with queries. */
export type PolledPack = DatabasePack & { readonly database: PackQueries };

export function hasQueries(pack: DatabasePack): pack is PolledPack {
  return pack.database !== undefined;
}

/**
 * Loads the SQL of a pack, which only a process that uses the database needs.
 *
 * @param settings the output of the pack's settings schema.
 * @throws Error with all differences between the queries and their description in the pack.
 */
export async function createQueries(
  { name, metrics, database }: Pick<PolledPack, 'name' | 'metrics' | 'database'>,
  settings: unknown,
): Promise<QuerySet> {
  let queries: QuerySet;
  try {
    queries = await database.create(settings);
  } catch (error) {
    throw new Error(`cannot create the queries of pack ${name}: ${(error as Error).message}`, { cause: error });
  }
  const problems = [...differentNames(queries, database), ...differentMetrics(queries, metrics)];
  if (problems.length > 0) throw new Error(`pack ${name} is not consistent: ${problems.join('; ')}`);
  return queries;
}

export function emittedMetrics({
  gauges,
  counters,
}: QuerySet): readonly { readonly query: string; readonly metric: Metric }[] {
  return [
    ...Object.entries(gauges).flatMap(([query, gauge]) =>
      Object.values(gauge.metrics).map(({ metric }) => ({ query, metric })),
    ),
    ...Object.entries(counters).flatMap(([query, counter]) => counter.metrics.map(({ metric }) => ({ query, metric }))),
  ];
}

function differentNames({ gauges, counters }: QuerySet, { names }: PackQueries): string[] {
  const created = [...Object.keys(gauges), ...Object.keys(counters)];
  const named = [...names.gauges, ...names.counters];
  return [
    ...created.filter((query) => !named.includes(query)).map((query) => `query ${query} is not in its list of names`),
    ...named.filter((query) => !created.includes(query)).map((query) => `query ${query} does not exist`),
  ];
}

/** A metric that the pack does not describe could collide with that of another pack, and no panel knows it. */
function differentMetrics(queries: QuerySet, metrics: DatabasePack['metrics']): string[] {
  const described = new Map(Object.values(metrics).map((metric) => [metric.name, metric]));
  return emittedMetrics(queries).flatMap(({ query, metric }) => {
    const problem = differenceOf(metric, described.get(metric.name));
    return problem === undefined ? [] : [`query ${query} emits ${metric.name}, ${problem}`];
  });
}

function differenceOf(emitted: Metric, described: Metric | undefined): string | undefined {
  if (described === undefined) return 'which is not one of its metrics';
  if (described.source !== 'poller') return `whose source is ${described.source} and not poller`;
  return isDeepStrictEqual(emitted, described) ? undefined : 'but its metrics describe it differently';
}
