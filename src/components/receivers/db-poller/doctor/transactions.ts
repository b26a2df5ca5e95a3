import type { Finding } from '../../../../engine/component.ts';
import type { Row } from '../../../../postgres/read-only-pool.ts';
import type { Check } from './check.ts';

/** Transactions that are open for this many intervals are reported. */
const INTERVALS = 4;

export const transactions: Check = {
  about: 'open transactions',
  async *find({ ask, config }) {
    const rows = await ask(OLD_WRITERS, [(INTERVALS * config.collection_interval) / 1000]);
    if (rows.length === 0) yield { severity: 'ok', what: 'no write transaction has been open for long' };
    for (const row of rows) yield row['gid'] === null ? writer(row) : prepared(row);
  },
};

/** A row is counted when all transactions that started to write before it have ended. */
const OLD_WRITERS = `
  select * from (
    select pid, concat_ws(' of ', nullif(application_name, ''), usename) as who, null as gid,
           extract(epoch from clock_timestamp() - xact_start)::int as age_s
    from pg_stat_activity where backend_xid is not null
    union all
    select null, owner::text, gid, extract(epoch from clock_timestamp() - prepared)::int
    from pg_prepared_xacts) writer
  where age_s > $1::float8 order by age_s desc limit 5`;

function writer({ pid, who, age_s }: Row): Finding {
  return {
    severity: 'warning',
    what: `a write transaction of ${String(who)}, pid ${String(pid)}, has been open for ${String(age_s)} s: later rows are not counted`,
    repair: `Let it end, or: select pg_terminate_backend(${String(pid)});`,
  };
}

function prepared({ gid, who, age_s }: Row): Finding {
  return {
    severity: 'warning',
    what: `a transaction of ${String(who)} has been prepared for ${String(age_s)} s and is still open: later rows are not counted`,
    repair: `Commit it, or: rollback prepared '${String(gid).replaceAll("'", "''")}';`,
  };
}
