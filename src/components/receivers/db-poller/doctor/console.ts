import type { Finding } from '../../../../engine/component.ts';
import { PostgresError } from '../../../../postgres/postgres-error.ts';
import { failureFinding } from '../../../../postgres/query-findings.ts';
import { ReadOnlyPool } from '../../../../postgres/read-only-pool.ts';
import type { DbPollerConfig } from '../config.ts';
import { askGauges } from '../gauges/ask.ts';
import { GaugeSeries } from '../gauges/series.ts';
import { plannedQueries, poolSettings, type PlannedGauges } from '../plan.ts';
import { pgCatalog } from '../run/schema.ts';
import { RowsNoticed } from './noticed.ts';

/** Examines a receiver whose datasource is the admin console of pgbouncer. */
export async function* examineConsole(config: DbPollerConfig): AsyncGenerator<Finding> {
  yield { severity: 'ok', what: 'connected to the admin console of pgbouncer, which answers only SHOW' };
  if (config.leader_election.enabled)
    yield {
      severity: 'error',
      what: 'the admin console of pgbouncer has no locks, so no leader can be elected',
      repair: 'Set leader_election::enabled: false',
    };
  const planned = plannedQueries(config, []);
  if (config.packs.length > 0 || planned.some(({ kind }) => kind !== 'gauges'))
    yield {
      severity: 'error',
      what: 'packs and counters need a database, and this is the admin console of pgbouncer',
      repair: 'Use a second receiver, whose datasource is the database',
    };
  const pool = new ReadOnlyPool(poolSettings(config, 1));
  try {
    for (const one of planned) if (one.kind === 'gauges') yield* tryOut(one, pool);
  } finally {
    await pool.close();
  }
}

async function* tryOut(
  { id, query, timeoutMs, timeoutPlace }: PlannedGauges,
  pool: ReadOnlyPool,
): AsyncGenerator<Finding> {
  const longer = `Raise ${timeoutPlace}`;
  try {
    const { rows } = await askGauges(query, pgCatalog, { pool, timeoutMs });
    const noticed = new RowsNoticed();
    new GaugeSeries(query).fromRows(rows, noticed);
    const findings = noticed.findings(id);
    yield* findings;
    if (findings.length === 0)
      yield { severity: rows.length === 0 ? 'note' : 'ok', what: `${id} has ${rows.length} rows` };
  } catch (error) {
    yield failureFinding({ name: id, timeoutMs, longer, role: 'of the console' }, PostgresError.from(error), 'points');
  }
}
