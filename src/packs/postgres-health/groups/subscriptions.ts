import type { BudgetedLabel } from '../../../metrics/metric.ts';
import { counter, gauge, group } from './group.ts';

const MOST_SUBSCRIPTIONS = 20;
const subscription: BudgetedLabel = { maxValues: MOST_SUBSCRIPTIONS, description: 'name of the subscription' };

/** Logical replication into the polled database. */
export const subscriptions = group({
  metrics: {
    database_subscription_running: gauge(
      'database.subscription.running',
      '{subscription}',
      '1 while a subscription that is enabled receives changes, 0 while it does not',
      { subscription },
    ),
    database_subscription_silence_seconds: gauge(
      'database.subscription.silence',
      's',
      'Time since the last message of the publisher, which also sends one when nothing changes; absent while the subscription does not run',
      { subscription },
    ),
    database_subscription_errors_total: counter(
      'database.subscription.errors',
      '{error}',
      'Errors while changes were applied, and while tables were first copied; since PostgreSQL 15',
      { subscription, phase: ['apply', 'copy'] },
    ),
  },
  cost: 'statistics',
  isPerDatabase: true,
  needs: {
    pg_subscription: ['subname', 'subenabled', 'subdbid'],
    pg_stat_subscription: ['pid', 'last_msg_receipt_time'],
  },
  uses: { pg_stat_subscription_stats: ['apply_error_count'] },
  since: 'reset_unix_ms',
  statement: ({ has }) => ({
    text: `
      with known as (
        select oid, subname as subscription, subenabled from pg_subscription
        where subdbid = (select oid from pg_database where datname = current_database()) order by subname limit $1
      )
      select subscription, null as phase, null::bigint as database_subscription_errors_total,
             null::numeric as reset_unix_ms,
             case when subenabled then (pid is not null)::int end as database_subscription_running,
             extract(epoch from greatest(now(), last_msg_receipt_time) - last_msg_receipt_time)
               as database_subscription_silence_seconds
      from known
      -- Since PostgreSQL 16 a subscription can have several processes that apply.
      cross join lateral (select max(pid) as pid, max(last_msg_receipt_time) as last_msg_receipt_time
                          from pg_stat_subscription where subid = oid and relid is null) worker
      ${has('pg_stat_subscription_stats', 'apply_error_count') ? ERRORS : ''}`,
    values: [MOST_SUBSCRIPTIONS],
  }),
});

const ERRORS = `
  union all
  select subscription, phase, total, extract(epoch from stats_reset) * 1000, null, null
  from known join pg_stat_subscription_stats on subid = oid
  cross join lateral (values ('apply', apply_error_count), ('copy', sync_error_count)) counted (phase, total)`;
