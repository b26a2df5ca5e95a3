import type { SetupSettings, SetupSql } from '../../../../engine/component.ts';
import type { TableName } from '../../../../postgres/asked-tables.ts';
import { readableIdentifier } from '../../../../postgres/identifier.ts';
import { NAMED_TABLES, namedTablesValues } from '../../../../postgres/named-tables.ts';
import { ReadOnlyPool, type Row } from '../../../../postgres/read-only-pool.ts';
import { setupSql, type NeededIndex } from '../../../../postgres/setup-sql.ts';
import { MOST_DATABASES, type DbPollerConfig } from '../config.ts';
import { configuredPacks, heldConnections, poolSettings, type ConfiguredPack } from '../plan.ts';
import { furtherDatabases } from '../further-databases.ts';
import { pgCatalog, tablesOf } from '../run/schema.ts';
import type { UserCounterConfig, UserGaugeConfig } from '../user-queries/config.ts';
import { userGauge } from '../user-queries/gauge.ts';
import { lookupsOf } from '../user-queries/labels.ts';
import { presentIndexes, serves, servesTime, type PresentIndex } from './indexes.ts';

/** An index, and what decides whether one that exists replaces it. */
interface WantedIndex extends Omit<NeededIndex, 'isMissing'> {
  readonly isServedBy: (present: PresentIndex) => boolean;
}

/** The role, the grants and the indexes for this configuration. Asks the database, if it answers, which indexes exist. */
export async function setup({ role }: SetupSettings, config: DbPollerConfig): Promise<SetupSql> {
  const packs = await configuredPacks(config);
  const gauges = config.queries.filter((query) => query.kind === 'gauge');
  const counters = config.queries.filter((query) => query.kind !== 'gauge');
  const { further, ...found } = await compare([...packs.flatMap(packIndexes), ...timeIndexes(counters)], config);
  return setupSql({
    role,
    connections: heldConnections(config, further.length),
    further,
    tables: [...packs.flatMap(packTables), ...counters.flatMap(counterTables).map(nameOf)],
    functions: packs.flatMap(packFunctions),
    readsSequences: packs.some(({ gauges: of }) =>
      Object.values(of).some(({ readsSequences }) => readsSequences === true),
    ),
    statements: new Map(gauges.map(readBy).filter(([, sql]) => !SHOW.test(sql))),
    ...found,
  });
}

function counterTables({ table, labels }: UserCounterConfig): string[] {
  return [table, ...lookupsOf(labels).map((lookup) => lookup.table)];
}

function readBy(gauge: UserGaugeConfig): [name: string, sql: string] {
  return [gauge.name, userGauge(gauge).statement(pgCatalog).text];
}

function packTables({ schema, ...pack }: ConfiguredPack): TableName[] {
  return schema === undefined ? [] : tablesOf(pack).map((table) => ({ schema, table }));
}

/** Among the catalogs that a pack names, those that are functions. */
function packFunctions({ schema, ...pack }: ConfiguredPack): string[] {
  return schema === undefined ? tablesOf(pack).filter((name) => name.endsWith(')')) : [];
}

function packIndexes({ schema, indexes = [] }: ConfiguredPack): WantedIndex[] {
  if (schema === undefined) return [];
  return indexes.map((index) => ({ ...index, schema, isServedBy: (present) => serves(present, index) }));
}

/** One index for several queries over the same column. */
function timeIndexes(counters: readonly UserCounterConfig[]): WantedIndex[] {
  const timed = counters.flatMap(({ name, table, time_column: column }) =>
    column === undefined ? [] : [{ name, column, ...nameOf(table) }],
  );
  const byColumn = Map.groupBy(timed, ({ schema, table, column }) => JSON.stringify([schema, table, column]));
  return [...byColumn.values()].map((queries) => {
    const { schema, table, column } = queries[0]!;
    return {
      schema,
      table,
      name: `siphon_${table}_${column}`,
      definition: `(${readableIdentifier(column)})`,
      queries: queries.map(({ name }) => name),
      isServedBy: (present) => present.table === table && servesTime(present, column),
    };
  });
}

const OFFLINE =
  'The database was not asked: these indexes may exist under other names, and CONCURRENTLY does not work for a partitioned table.';

const ALL_OFFLINE =
  'The database was not asked: the further databases are not known. Print this again when it answers.';

interface Compared {
  readonly indexes: readonly NeededIndex[];
  readonly remarks: readonly string[];
  /** The names of the further databases. */
  readonly further: readonly string[];
}

/** All of them are missing if the database does not answer. */
async function compare(wanted: readonly WantedIndex[], config: DbPollerConfig): Promise<Compared> {
  const { databases } = config;
  if (wanted.length === 0 && databases.length === 0) return { indexes: [], remarks: [], further: [] };
  const unknown: Compared = {
    indexes: wanted.map((index) => ({ ...index, isMissing: true })),
    remarks: [...(wanted.length > 0 ? [OFFLINE] : []), ...(databases === 'all' ? [ALL_OFFLINE] : [])],
    further: databases === 'all' ? [] : databases,
  };
  if (config.datasource.isEmpty) return unknown;
  const pool = new ReadOnlyPool(poolSettings(config, 1));
  try {
    const ask = asking(pool, config);
    const further = (await furtherDatabases(config, ask)).slice(0, MOST_DATABASES);
    return { indexes: await compared(wanted, ask), remarks: [], further };
  } catch {
    return unknown;
  } finally {
    await pool.close();
  }
}

type Ask = (text: string, values?: readonly unknown[]) => Promise<readonly Row[]>;

function asking(pool: ReadOnlyPool, { timeout: timeoutMs }: DbPollerConfig): Ask {
  return async (text, values = []) => (await pool.query({ text, values, timeoutMs, maxRows: MAX_ROWS })).rows;
}

/** @throws PostgresError */
async function compared(wanted: readonly WantedIndex[], ask: Ask): Promise<NeededIndex[]> {
  const names = [...new Set(wanted.map(({ schema, table }) => `${schema}.${table}`))];
  const kinds = new Map((await ask(KINDS, namedTablesValues(names))).map(({ name, kind }) => [name, kind]));
  const present = new Map<string, readonly PresentIndex[]>();
  for (const [schema, ofSchema] of Map.groupBy(wanted, (index) => index.schema)) {
    const tables = [...new Set(ofSchema.map(({ table }) => table))];
    present.set(schema, await presentIndexes({ ask }, schema, tables));
  }
  return wanted.map((index) => {
    const kind = kinds.get(`${index.schema}.${index.table}`);
    const found = present.get(index.schema)!;
    return {
      ...index,
      isMissing: kind !== undefined && !found.some((one) => one.isValid && index.isServedBy(one)),
      isPartitioned: kind === 'p',
      isInvalid: found.some(({ name, isValid }) => !isValid && name === index.name),
    };
  });
}

const MAX_ROWS = 10_000;
const KINDS = `select name, root.relkind::text as kind from ${NAMED_TABLES}`;
const SHOW = /^\s*show\s/i;

function nameOf(name: string): TableName {
  const [schema = '', table = ''] = name.split('.');
  return { schema, table };
}
