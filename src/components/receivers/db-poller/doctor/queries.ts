import type { Finding } from '../../../../engine/component.ts';
import { PostgresError } from '../../../../postgres/postgres-error.ts';
import { failureFinding, slowFindings, type TriedQuery } from '../../../../postgres/query-findings.ts';
import { askGauges, type GaugeAnswer } from '../gauges/ask.ts';
import type { CounterQuery } from '../query.ts';
import { PostgresTable } from '../counters/postgres-table.ts';
import { droppedValues } from '../counters/occurrences.ts';
import { rehearse } from '../counters/rehearse.ts';
import type { PlannedQuery, PlannedGauges } from '../plan.ts';
import { userCounter } from '../user-queries/counter.ts';
import { pgCatalog, type QueriedSchema } from '../run/schema.ts';
import { GaugeSeries } from '../gauges/series.ts';
import type { Check, Examined } from './check.ts';
import { remarkFindings, RowsNoticed } from './noticed.ts';

/** Runs each query once, as the poller does, and examines its rows. */
export const queries: Check = {
  about: 'the queries',
  async *find(examined) {
    const answered: { readonly id: string; readonly durationMs: number }[] = [];
    for (const planned of examined.planned) {
      const durationMs = yield* tryOut(planned, examined);
      if (durationMs !== undefined) answered.push({ id: planned.id, durationMs });
    }
    const slowest = answered.toSorted((a, b) => b.durationMs - a.durationMs)[0];
    if (slowest === undefined) return;
    const what = `${answered.length} queries answer; the slowest, ${slowest.id}, takes ${Math.round(slowest.durationMs)} ms`;
    yield { severity: 'ok', what };
  },
};

interface Trial {
  readonly durationMs: number;
  readonly findings: readonly Finding[];
}

/** Returns the duration if the query answers. A query that lacks columns is not run; other checks report the columns. */
async function* tryOut(planned: PlannedQuery, examined: Examined): AsyncGenerator<Finding, number | undefined> {
  const { id, timeoutPlace, timeoutMs, pack } = planned;
  const tried: TriedQuery = {
    name: id,
    timeoutMs,
    longer: `See the findings about indexes, or raise ${timeoutPlace}`,
    role: examined.role,
  };
  try {
    const schema = pack ? await examined.schemaOf(pack) : pgCatalog;
    const trial = await trialOf(planned, schema, examined);
    if (!trial) return undefined;
    yield* slowFindings(tried, trial.durationMs);
    yield* trial.findings;
    return trial.durationMs;
  } catch (error) {
    const failure = PostgresError.from(error);
    const isOptional = pack !== undefined && pack.schema === undefined;
    if (isOptional && failure.isRefusal) {
      const { remedy } = planned.kind === 'gauges' ? planned.query : {};
      const what = `${id} has no values: the server refuses it: ${failure.message}`;
      yield { severity: 'note', what: remedy === undefined ? what : `${what}; to have them, ${remedy}` };
    } else yield failureFinding(tried, failure, 'points');
    return undefined;
  }
}

/** Undefined if the poller would not run it either. @throws PostgresError */
async function trialOf(planned: PlannedQuery, schema: QueriedSchema, examined: Examined): Promise<Trial | undefined> {
  if (planned.kind === 'user_counter') {
    const { key, flaws } = await examined.tableOf(planned.config);
    if (flaws.some(({ failure }) => failure)) return undefined;
    return await rowsTrial({ ...planned, query: userCounter(planned.config, key) }, schema, examined);
  }
  if (schema.missing(planned.query.needs).length > 0) return undefined;
  return planned.kind === 'counters'
    ? await rowsTrial(planned, schema, examined)
    : await stateTrial(planned, schema, examined);
}

interface RowsToTry {
  readonly id: string;
  readonly query: CounterQuery;
  readonly timeoutMs: number;
}

async function rowsTrial(
  { id, query, timeoutMs }: RowsToTry,
  schema: QueriedSchema,
  { pool }: Examined,
): Promise<Trial> {
  const table = new PostgresTable(pool, query);
  table.use(schema, new AbortController().signal);
  const { replaced, dropped } = await rehearse(query, table, timeoutMs);
  const noticed = new RowsNoticed();
  for (const { label, reason, count } of replaced) noticed.replaced(label, reason, count);
  for (const reason of droppedValues) noticed.dropped(reason, dropped[reason]);
  return { durationMs: table.durationMs, findings: noticed.findings(id) };
}

async function stateTrial(
  { id, query, timeoutMs }: PlannedGauges,
  schema: QueriedSchema,
  { pool }: Examined,
): Promise<Trial> {
  const answer = await askGauges(query, schema, { pool, timeoutMs });
  const noticed = new RowsNoticed();
  new GaugeSeries(query).fromRows(answer.rows, noticed);
  return { durationMs: answer.durationMs, findings: [...noticed.findings(id, unusedColumns(query, answer)), ...remarkFindings(id, answer.remarks)] }; // prettier-ignore
}

/** The columns of the user's SQL that the query does not use. */
function unusedColumns({ columns = [] }: PlannedGauges['query'], answer: GaugeAnswer): string[] {
  return [...answer.columns.keys()].filter((column) => !columns.includes(column));
}
