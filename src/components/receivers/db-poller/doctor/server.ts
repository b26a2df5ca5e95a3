import { serverFunctions } from '../../../../postgres/server-functions.ts';
import type { Check } from './check.ts';

/** Reports properties of the server that limit what the poller can know. */
export const server: Check = {
  about: 'the server',
  async *find({ ask, pool, planned, role }) {
    const [row] = await ask('select pg_is_in_recovery() as is_standby');
    if (row!['is_standby'] === true) {
      yield {
        severity: 'warning',
        what: 'the server is a standby: rows count when they have been replayed, counters restart at 0 when it is promoted, and metrics of sessions, vacuum and rows are those of the standby, or absent',
        repair:
          'Set datasource to the primary, or to all hosts with target_session_attrs=primary: postgresql://…@one:5432,two:5432/…',
      };
    }
    if (planned.every(({ kind }) => kind === 'gauges')) return;
    const { hasWal, hasControl } = await serverFunctions(pool);
    if (!hasWal) {
      yield {
        severity: 'warning',
        what: 'the server refuses the functions of its write-ahead log: counters assume that ended transactions survive a crash, and a promotion is not recognized',
        repair: `On Aurora, whose storage is durable, this is normal. Elsewhere: ${grants(WAL, role)}`,
      };
    }
    if (!hasControl) {
      yield {
        severity: 'warning',
        what: 'the server refuses the functions about its identity: a copy of the database at the same address is recognized only if its transaction numbers are lower',
        repair: grants(CONTROL, role),
      };
    }
  },
};

const WAL = ['pg_current_wal_insert_lsn()', 'pg_current_wal_flush_lsn()', 'pg_walfile_name(pg_lsn)'];
const CONTROL = ['pg_control_system()', 'pg_control_checkpoint()'];

function grants(functions: readonly string[], role: string): string {
  return `grant execute on function ${functions.join(', ')} to ${role};`;
}
