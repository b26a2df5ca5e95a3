import type { Finding } from '../../../../engine/diagnosis.ts';
import type { ConfiguredPack } from '../plan.ts';
import type { TableColumns } from '../query.ts';
import { queryNeeds } from '../run/schema.ts';
import { columnRights, type ColumnRights } from './column-rights.ts';
import { readableIdentifier } from '../../../../postgres/identifier.ts';
import type { Check, Examined } from './check.ts';

export const tables: Check = {
  about: 'tables and rights',
  async *find(examined) {
    for (const pack of examined.packs) {
      const { schema } = pack;
      if (schema !== undefined) yield* packFindings({ ...pack, schema }, examined);
    }
  },
};

async function* packFindings(pack: ConfiguredPack & { schema: string }, examined: Examined): AsyncGenerator<Finding> {
  const { role, ask } = examined;
  const schema = readableIdentifier(pack.schema);
  const [rights] = await ask(SCHEMA_RIGHTS, [pack.schema]);
  if (rights === undefined) {
    const repair = `Set packs::${pack.name}::schema to the one with the tables`;
    yield { severity: 'error', what: `there is no schema ${schema}`, repair };
    return;
  }
  if (rights['may_use'] !== true) {
    yield {
      severity: 'error',
      what: `the role ${role} may not use the schema ${schema}`,
      repair: `grant usage on schema ${schema} to ${role};`,
    };
  }
  const wanted = wantedTables(pack);
  const columns = await columnRights(examined, pack.schema, [...wanted.keys()]);
  if (![...wanted.keys()].some((table) => columns.hasTable(table))) {
    const repair = `Set packs::${pack.name}::schema to the one with the tables`;
    yield { severity: 'error', what: `the schema ${schema} has none of the tables of ${pack.name}`, repair };
    return;
  }
  const flaws = [...wanted].flatMap(([table, want]) => tableFindings({ schema, table, role }, want, columns));
  yield* flaws;
  if (flaws.length === 0)
    yield { severity: 'ok', what: `the role ${role} may read all ${wanted.size} tables of ${pack.name}` };
}

const SCHEMA_RIGHTS = `
  select has_schema_privilege(oid, 'usage') as may_use from pg_namespace where nspname = $1`;

/** Who wants each column of a table. */
interface Want {
  readonly needed: ReadonlyMap<string, readonly string[]>;
  readonly optional: ReadonlyMap<string, readonly string[]>;
}

function wantedTables(pack: ConfiguredPack): Map<string, Want> {
  const needs = Object.entries(queryNeeds(pack));
  const names = needs.flatMap(([, { needs: needed, uses = {} }]) => [...Object.keys(needed), ...Object.keys(uses)]);
  return new Map(
    [...new Set(names)].map((table) => {
      const needed = wantedColumns(
        needs.map(([query, { needs: columns }]) => [query, columns] as const),
        table,
      );
      const optional = wantedColumns(
        needs.map(([query, { uses = {} }]) => [query, uses] as const),
        table,
      );
      return [table, { needed, optional }];
    }),
  );
}

function wantedColumns(byQuery: readonly (readonly [string, TableColumns])[], table: string): Map<string, string[]> {
  const wanted = new Map<string, string[]>();
  for (const [query, columns] of byQuery) {
    for (const column of columns[table] ?? []) wanted.set(column, [...(wanted.get(column) ?? []), query]);
  }
  return wanted;
}

interface Place {
  readonly schema: string;
  readonly table: string;
  readonly role: string;
}

function tableFindings({ schema, table, role }: Place, { needed, optional }: Want, columns: ColumnRights): Finding[] {
  const name = `${schema}.${readableIdentifier(table)}`;
  const consequence = (lacking: readonly string[]): string => {
    const off = queriesOf(lacking, needed);
    const less = queriesOf(lacking, optional).filter((query) => !off.includes(query));
    return [
      ...(off.length > 0 ? [`off: ${off.join(', ')}`] : []),
      ...(less.length > 0 ? [`tell less: ${less.join(', ')}`] : []),
    ].join('; ');
  };
  const all = [...new Set([...needed.keys(), ...optional.keys()])];
  if (!columns.hasTable(table)) {
    return [{ severity: 'warning', what: `there is no table ${name} (${consequence(all)})`, repair: NO_PART }];
  }
  const missing = all.filter((column) => columns.state(table, column) === 'missing');
  const hidden = all.filter((column) => columns.state(table, column) === 'hidden');
  return [
    ...(missing.length > 0
      ? [
          {
            severity: 'warning' as const,
            what: `the table ${name} has no ${missing.join(', ')} (${consequence(missing)})`,
            repair: NO_PART,
          },
        ]
      : []),
    ...(hidden.length > 0
      ? [
          {
            severity: 'error' as const,
            what: `the role ${role} may not read ${hidden.join(', ')} of ${name} (${consequence(hidden)})`,
            repair: `grant select on ${name} to ${role};`,
          },
        ]
      : []),
  ];
}

const NO_PART = 'Add it if the numbers are wanted, else leave it so';

function queriesOf(columns: readonly string[], wanted: ReadonlyMap<string, readonly string[]>): string[] {
  return [...new Set(columns.flatMap((column) => wanted.get(column) ?? []))];
}
