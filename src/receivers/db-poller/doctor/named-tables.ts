import { NAMED_TABLES, namedTablesValues } from '../packs/postgres-health/named-tables.ts';
import type { Check } from './check.ts';

export const namedTables: Check = {
  about: 'the tables of postgres_health',
  async *find({ config, ask }) {
    const names = config.packs.postgres_health?.tables ?? [];
    if (names.length === 0) return;
    const rows = await ask(`select name from ${NAMED_TABLES}`, namedTablesValues(names));
    const found = new Set(rows.map(({ name }) => name));
    const missing = names.filter((name) => !found.has(name));
    if (missing.length > 0) {
      yield {
        severity: 'warning',
        what: `there is no ${missing.join(' and no ')}: it has no series`,
        repair: 'Spell it in packs::postgres_health::tables as pg_class does, schema first, or leave it out',
      };
    } else {
      yield { severity: 'ok', what: `all ${names.length} tables of postgres_health are there` };
    }
  },
};
