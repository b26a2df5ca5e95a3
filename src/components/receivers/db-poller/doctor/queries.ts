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
    const answered: Tried[] = [];
    for (const planned of examined.planned) {
      const trial = yield* tryOut(planned, examined);
      if (trial !== undefined) answered.push({ planned, trial });
    }
    const [slowest] = answered.toSorted((a, b) => b.trial.durationMs - a.trial.durationMs);
    if (slowest === undefined) return;
    const took = `the slowest, ${slowest.planned.id}, takes ${Math.round(slowest.trial.durationMs)} ms`;
    yield { severity: 'ok', what: `${answered.length} queries answer; ${took}` };
    yield* emptyFindings(answered.filter(({ trial }) => trial.isEmpty));
  },
};

interface Tried {
  readonly planned: PlannedQuery;
  readonly trial: Trial;
}

interface Trial {
  readonly durationMs: number;
  readonly rows: number;
  readonly findings: readonly Finding[];
  /** True if no value was found, though nothing is wrong. */
  readonly isEmpty: boolean;
}

/** A query of a pack often has nothing to show, such as standbys. A query of the user without values may have a mistake. */
function* emptyFindings(empty: readonly Tried[]): Generator<Finding> {
  for (const { planned, trial } of empty) if (planned.pack === undefined) yield emptyFinding(planned, trial);
  const ofPacks = empty.flatMap(({ planned: { id, pack } }) => (pack === undefined ? [] : [id]));
  if (ofPacks.length > 0)
    yield { severity: 'note', what: `answers without values at the moment: ${ofPacks.join(', ')}` };
}

function emptyFinding({ id, kind }: PlannedQuery, { rows }: Trial): Finding {
  if (kind !== 'gauges') return { severity: 'note', what: `${id} finds no recent row to count` };
  if (rows === 0) return { severity: 'note', what: `${id} has no value at the moment: its SQL returns no row` };
  const repair = 'Return a number, or exclude these rows';
  return { severity: 'warning', what: `${id} has no value: all that its SQL returns is NULL`, repair };
}

/** Returns a trial if the query answers. A query that lacks columns is not run; other checks report the columns. */
async function* tryOut(planned: PlannedQuery, examined: Examined): AsyncGenerator<Finding, Trial | undefined> {
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
    return trial;
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
  const { rows, replaced, dropped } = await rehearse(query, table, timeoutMs);
  const noticed = new RowsNoticed();
  for (const { label, reason, count } of replaced) noticed.replaced(label, reason, count);
  for (const reason of droppedValues) noticed.dropped(reason, dropped[reason]);
  return { durationMs: table.durationMs, rows, findings: noticed.findings(id), isEmpty: rows === 0 };
}

async function stateTrial(
  { id, query, timeoutMs }: PlannedGauges,
  schema: QueriedSchema,
  { pool }: Examined,
): Promise<Trial> {
  const answer = await askGauges(query, schema, { pool, timeoutMs });
  const noticed = new RowsNoticed();
  const series = new GaugeSeries(query).fromRows(answer.rows, noticed);
  const findings = [...noticed.findings(id, unusedColumns(query, answer)), ...remarkFindings(id, answer.remarks)];
  const isEmpty = findings.length === 0 && series.size === 0;
  return { durationMs: answer.durationMs, rows: answer.rowCount, findings, isEmpty };
}

/** The columns of the user's SQL that the query does not use. */
function unusedColumns({ columns = [] }: PlannedGauges['query'], answer: GaugeAnswer): string[] {
  return [...answer.columns.keys()].filter((column) => !columns.includes(column));
}
