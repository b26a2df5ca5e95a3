import type { runStatuses } from '../labels.ts';
import type { Schema } from '../../../components/receivers/db-poller/query.ts';

/** A kind of runs: its name, and its SQL condition, which starts with the status. */
export interface RunKind {
  readonly name: string;
  readonly condition: string;
}

/** A kind for each of these statuses. */
export function withStatus(statuses: readonly (typeof runStatuses)[number][]): readonly RunKind[] {
  return statuses.map((name) => ({ name, condition: `status = '${name}'` }));
}

/**
 * The latest started run of each kind that has finished, for each source; runs without a source count as one source.
 * Columns: `source_id`, `kind`, `started_at`, `finished_at`.
 *
 * With an index, one look-up for each source and kind finds it, regardless of the number of runs. Without an index, each
 * look-up would read the whole table, so the table is read once for all.
 */
export function latestRuns(schema: Schema, kinds: readonly RunKind[]): string {
  const isIndexed = schema.hasIndex('scrape_runs', ['source_id', 'status', 'started_at']);
  return isIndexed ? lookUpEach(schema, kinds) : readAllOnce(schema, kinds);
}

function lookUpEach({ table }: Schema, kinds: readonly RunKind[]): string {
  const sources = [
    { from: table('product_sources'), sourceId: 'source.id', matches: 'source_id = source.id' },
    { from: '(select) ', sourceId: 'null', matches: 'source_id is null' },
  ];
  const lookUps = sources.flatMap(({ from, sourceId, matches }) =>
    kinds.map(
      ({ name, condition }) => `
        select ${sourceId} as source_id, '${name}' as kind, run.started_at, run.finished_at
        from ${from} source cross join lateral (
          select started_at, finished_at from ${table('scrape_runs')}
          where ${matches} and ${condition} and finished_at is not null order by started_at desc limit 1) run`,
    ),
  );
  return lookUps.join(' union all ');
}

function readAllOnce({ table }: Schema, kinds: readonly RunKind[]): string {
  const latest = kinds.map(
    ({ condition }, i) => `max(array[started_at, finished_at]) filter (where ${condition}) as kind${i}`,
  );
  const named = kinds.map(({ name }, i) => `('${name}', kind${i})`);
  return `
    select source_id, run.kind, run.times[1] as started_at, run.times[2] as finished_at
    from (select source_id, ${latest.join(', ')}
          from ${table('scrape_runs')} where finished_at is not null group by source_id) source
    cross join lateral (values ${named.join(', ')}) run (kind, times)
    where run.times is not null`;
}
