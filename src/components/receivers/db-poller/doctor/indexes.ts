import type { Finding } from '../../../../engine/diagnosis.ts';
import type { ConfiguredPack } from '../plan.ts';
import type { TableIndex } from '../query.ts';
import { columnRights } from './column-rights.ts';
import { readableIdentifier } from '../../../../postgres/identifier.ts';
import type { Check, Examined } from './check.ts';
import { invalidFinding, presentIndexes, scatteredFindings, type PresentIndex } from './present-indexes.ts';

export const indexes: Check = {
  about: 'indexes',
  async *find(examined) {
    for (const pack of examined.packs) {
      const { schema, indexes: wanted = [] } = pack;
      if (schema !== undefined && wanted.length > 0) yield* packFindings({ ...pack, schema }, wanted, examined);
    }
  },
};

async function* packFindings(
  pack: ConfiguredPack & { readonly schema: string },
  wanted: readonly TableIndex[],
  examined: Examined,
): AsyncGenerator<Finding> {
  const tables = [...new Set(wanted.map(({ table }) => table))];
  const present = await presentIndexes(examined, pack.schema, tables);
  const rights = await columnRights(examined, pack.schema, tables);
  // What a table does not have is said elsewhere.
  const possible = wanted.filter(({ table, columns, over }) =>
    [...columns, ...(over ? [over.column] : [])].every((column) => rights.state(table, column) !== 'missing'),
  );
  const flaws = [
    ...present.filter(({ isValid }) => !isValid).map((index) => invalidFinding(pack.schema, index)),
    ...possible.flatMap((index) => wantedFindings(pack.schema, index, present)),
  ];
  yield* flaws;
  if (flaws.length === 0) yield { severity: 'ok', what: `the large tables of ${pack.name} have their indexes` };
}

function wantedFindings(schema: string, wanted: TableIndex, present: readonly PresentIndex[]): Finding[] {
  const serving = present.filter((index) => index.isValid && serves(index, wanted));
  const table = `${readableIdentifier(schema)}.${wanted.table}`;
  if (serving.length === 0) {
    const condition = wanted.over === undefined ? '' : ` where ${wanted.over.where}`;
    return [
      {
        severity: 'warning',
        what: `no index on ${table} (${wanted.columns.join(', ')})${condition}: slower the larger it grows are ${wanted.queries.join(', ')}`,
        repair: `create index concurrently if not exists ${wanted.name} on ${table} ${wanted.definition};`,
      },
    ];
  }
  return scatteredFindings(serving, table, wanted.columns[0]!);
}

/** By its columns, and by what rows it is over. */
function serves(index: PresentIndex, { table, columns, over }: TableIndex): boolean {
  return (
    index.table === table &&
    columns.every((column, i) => index.columns[i] === column) &&
    plain(index.where) === plain(over?.where ?? '')
  );
}

/** As PostgreSQL prints a condition, it has casts and parentheses of its own. */
function plain(condition: string): string {
  return condition
    .toLowerCase()
    .replaceAll('::text', '')
    .replaceAll(/[\s()]+/g, '');
}
