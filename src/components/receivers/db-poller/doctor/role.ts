import type { Finding } from '../../../../engine/component.ts';
import { connectionRoom, roomFindings } from '../../../../postgres/connection-room.ts';
import type { Row } from '../../../../postgres/read-only-pool.ts';
import { MOST_DATABASES } from '../config.ts';
import { heldConnections } from '../plan.ts';
import type { Check, Examined } from './check.ts';

export const role: Check = {
  about: 'the role',
  async *find(examined) {
    const { ask, config, role: name } = examined;
    yield* roomFindings(
      await connectionRoom(ask),
      'the poller',
      heldConnections(config, Math.min(examined.further.length, MOST_DATABASES)),
    );
    const [row] = await ask(ROLE);
    const power = powerFinding(row!, name);
    const flaws = [...rightFindings(row!, name), ...timeoutFindings(row!, examined)];
    if (power !== undefined) {
      yield power;
      // The settings of this role must not be changed: the application that writes with it would fail.
      for (const { severity, what } of flaws) yield { severity, what, repair: IN_OWN_ROLE };
      return;
    }
    yield* flaws;
    if (flaws.length === 0)
      yield {
        severity: 'ok',
        what: `role ${name} is read-only, has timeouts and may see the activity of other sessions`,
      };
  },
};

const OWN_ROLE = 'Create the role that siphon doctor --sql prints, and use it in the datasource';
const IN_OWN_ROLE = 'The role that siphon doctor --sql prints does not have this problem';

/** The role can do more than the poller needs. */
function powerFinding(row: Row, name: string): Finding | undefined {
  if (row['is_superuser'] === true)
    return { severity: 'warning', what: `role ${name} is a superuser, but needs only read access`, repair: OWN_ROLE };
  if (row['writes'] !== true && row['creates'] !== true) return undefined;
  const what = `role ${name} may ${row['writes'] === true ? 'write' : 'create'} tables, but siphon needs only read access`;
  return { severity: 'warning', what, repair: OWN_ROLE };
}

/** `reset_val` is the value that the role and the datasource set. Each transaction of the poller overrides it. */
const ROLE = `
  select r.rolsuper as is_superuser,
         pg_has_role('pg_read_all_stats', 'usage') as sees_sessions,
         exists (
           select from pg_class c join pg_namespace n on n.oid = c.relnamespace
           where c.relkind in ('r', 'p') and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
             and (pg_has_role(c.relowner, 'usage') or has_table_privilege(c.oid, 'insert, update, delete'))
         ) as writes,
         has_database_privilege(current_database(), 'create') or exists (
           select from pg_namespace n
           where n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
             and has_schema_privilege(n.oid, 'create')
             -- Before PostgreSQL 15, every role may create tables in this schema.
             and (n.nspname <> 'public' or current_setting('server_version_num')::int >= 150000)
         ) as creates,
         settings ->> 'default_transaction_read_only' = 'on' as is_read_only,
         (settings ->> 'statement_timeout')::int as statement_timeout,
         (settings ->> 'idle_in_transaction_session_timeout')::int as idle_timeout,
         (settings ->> 'transaction_timeout')::int as transaction_timeout
  from pg_roles r, (select jsonb_object_agg(name, reset_val) as settings from pg_settings) setting
  where r.rolname = current_user`;

function* rightFindings(row: Row, name: string): Generator<Finding> {
  if (row['is_read_only'] !== true) {
    yield {
      severity: 'warning',
      what: `role ${name} may start write transactions`,
      repair: `alter role ${name} set default_transaction_read_only = on;`,
    };
  }
  if (row['sees_sessions'] !== true) {
    yield {
      severity: 'warning',
      what: `role ${name} may not see the activity of other sessions: metrics of connections and transactions are absent`,
      repair: `grant pg_read_all_stats to ${name};`,
    };
  }
}

function* timeoutFindings(row: Row, { config, role: name }: Examined): Generator<Finding> {
  const missing = [
    ...(row['statement_timeout'] === 0 ? ['statement_timeout'] : []),
    ...(row['idle_timeout'] === 0 ? ['idle_in_transaction_session_timeout'] : []),
  ];
  if (missing.length > 0) {
    yield {
      severity: 'warning',
      what: `role ${name} has no ${missing.join(' and no ')}: other clients that use it can block others forever`,
      repair: missing.map((setting) => `alter role ${name} set ${setting} = '60s';`).join(' '),
    };
  }
  const transactionTimeout = Number(row['transaction_timeout'] ?? 0);
  if (transactionTimeout > 0 && transactionTimeout < config.timeout) {
    yield {
      severity: 'warning',
      what: `transaction_timeout ends transactions after ${transactionTimeout} ms, before the timeout of a query`,
      repair: `alter role ${name} set transaction_timeout = '${Math.ceil((config.timeout * 2) / 1000)}s';`,
    };
  }
}
