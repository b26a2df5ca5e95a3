import { askedTables, type TableName } from '../../../../postgres/asked-tables.ts';
import { rowLevelSecurityFindings } from '../../../../postgres/row-level-security.ts';
import type { PlannedQuery } from '../plan.ts';
import { catalogues, tablesOf } from '../run/schema.ts';
import type { Check, Examined } from './check.ts';

/** Of the tables of the packs, and of those that the user's queries count or ask. */
export const rowLevelSecurity: Check = {
  about: 'row level security',
  async *find(examined) {
    const own = await Promise.all(examined.planned.map((planned) => ownTables(planned, examined)));
    yield* rowLevelSecurityFindings(examined, [...packTables(examined), ...own.flat()]);
  },
};

function packTables({ packs }: Examined): TableName[] {
  return packs.flatMap(({ schema, ...pack }) =>
    schema === undefined ? [] : tablesOf(pack).map((table) => ({ schema, table })),
  );
}

async function ownTables(planned: PlannedQuery, { pool, config }: Examined): Promise<TableName[]> {
  if (planned.pack !== undefined) return [];
  if (planned.kind === 'state') return await askedTables(pool, planned.query.statement(catalogues), config.timeout);
  if (planned.kind === 'rows') return [];
  const [schema = '', table = ''] = planned.config.table.split('.');
  return [{ schema, table }];
}
