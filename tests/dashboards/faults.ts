/** Faults, the alerts that must report them, and the panels that must show them. */
import type { Sidecar } from '../../examples/coffee/sidecar.ts';
import { flood } from '../support/alerts/careless-service.ts';
import { demoFault, shopFault, type Round, type Switch } from '../support/alerts/fault.ts';
import { troubledService } from '../support/alerts/troubled-service.ts';
import { addRoaster, addRun, addVariants, neglect, sourceOf, takeCare } from '../support/alerts/roaster-rows.ts';
import { contentFaults, diskFull, hiddenRoasters, readOnly, revokedBeforeRestart } from './content-faults.ts';
import { databaseFaults, lockWait } from './database-faults.ts';

/** More than the demo has, and less than a careless service makes. */
export const MAX_SERIES = 10_000;

/**
 * Limits and times that a test cannot wait for, in the file in which users set theirs. All others are those that are shipped.
 * The queries of the poller are all asked each two seconds, statements have 5 s, and the slow shop takes 2.5 s, which is
 * between bounds of the histogram, 1 and 5 s: its p95 reads 4.8 s.
 */
export const SETTINGS = `
alerts:
  FetchSlow: {warning: 4, critical: off}
  LongTransaction: {warning: 6}
  IdleInTransaction: {warning: 6, critical: off}
  PollerLagging: {warning: 6, critical: off}
  PollerFailing: {warning: 4, critical: off}
  XminAgeHigh: {warning: 100, critical: off}
  SlotUnused: {warning: 1, critical: off}
`;

/** When series were away for longer than the windows here, what they had counted before counts as new. */
const bornAgain = [
  'FetchErrors',
  'ArtifactErrors',
  'ValidationErrors',
  'PriceSpikes',
  'PriceJobsFailing',
  'RateLimited',
];

export const rounds: readonly Round[] = [
  {
    name: 'while shops, roasters, connections and receivers are in trouble',
    faults: [
      {
        name: 'a shop that takes no connection',
        ...shopFault('closed', 'store_down'),
        alerts: [
          { alert: 'FetchErrors', roaster: 'closed' },
          // Together with the shop that asks to slow down.
          { alert: 'RunSuccessLow' },
          { alert: 'PriceJobsFailing' },
        ],
        keptBack: [
          { alert: 'ArtifactErrors', roaster: 'closed' },
          { alert: 'RunFailed', roaster: 'closed' },
        ],
        panels: [
          ['siphon-pipeline', 'Fetch errors by kind'],
          ['siphon-roaster', 'Fetch errors'],
        ],
      },
      {
        name: 'a shop that asks to slow down',
        ...shopFault('busy', 'rate_limit_storm'),
        alerts: [{ alert: 'RateLimited' }, { alert: 'FetchErrors', roaster: 'busy' }],
        keptBack: [{ alert: 'RunFailed', roaster: 'busy' }],
        panels: [
          ['siphon-prices', 'Rate limits and backoff'],
          ['siphon-roaster', 'Requests to slow down'],
        ],
      },
      {
        name: 'prices that jump',
        ...shopFault('spiking', 'price_spike'),
        alerts: [
          { alert: 'PriceSpikes', roaster: 'spiking' },
          { alert: 'WildPrices', roaster: 'spiking' },
        ],
        panels: [
          ['siphon-prices', 'Spikes'],
          ['siphon-prices', 'Number of spikes'],
        ],
      },
      {
        name: 'products that are broken',
        ...shopFault('broken', 'invalid_products'),
        alerts: [{ alert: 'ValidationErrors', roaster: 'broken' }],
        // Variants of broken products are not seen: by chance, they are more than three in ten.
        follow: ['CatalogueShrunk'],
        panels: [
          ['siphon-pipeline', 'Problems found by validation'],
          ['siphon-roaster', 'Validation problems'],
        ],
      },
      {
        name: 'a shop that lists no products',
        ...shopFault('empty', 'empty_feed'),
        alerts: [{ alert: 'CatalogueShrunk', roaster: 'empty' }],
      },
      {
        name: 'prices that are no longer checked',
        provoke: async (world) => {
          await addVariants(world, 'forgotten');
          await world.sql(`update variants set price_last_checked_at = now() - interval '30 days'
            where platform_variant_id like 'forgotten-%'`);
        },
        end: async (world) =>
          await world.sql(
            `update variants set price_last_checked_at = now() where platform_variant_id like 'forgotten-%'`,
          ),
        alerts: [{ alert: 'PricesStale', roaster: 'forgotten' }],
      },
      {
        name: 'a shop that has suddenly sold everything',
        provoke: async (world) => {
          await addVariants(world, 'sold-out');
          await world.watched.prometheus.found('variants{roaster="sold-out", in_stock="true"} > 0');
          await world.sql(`update variants set in_stock = false where platform_variant_id like 'sold-out-%'`);
        },
        end: async (world) =>
          await world.sql(`update variants set in_stock = true where platform_variant_id like 'sold-out-%'`),
        alerts: [{ alert: 'StockGone', roaster: 'sold-out' }],
      },
      {
        name: 'a neglected roaster',
        provoke: async (world) => await neglect(world),
        end: async (world) => await takeCare(world),
        alerts: [
          { alert: 'PriceRunOverdue', roaster: 'neglected' },
          { alert: 'FullRunOverdue', roaster: 'neglected' },
          { alert: 'RunFailed', roaster: 'neglected' },
          { alert: 'ReviewRateHigh', roaster: 'neglected' },
          { alert: 'HealthScoreLow' },
        ],
        panels: [['siphon-pipeline', 'Cadences overdue']],
      },
      {
        name: 'a run that does not end',
        provoke: async (world) => await addRun(world, 'endless', { startedAgo: '7 hours' }),
        end: async (world) =>
          await world.sql(
            `update scrape_runs set finished_at = now(), status = 'ok' where source_id = ${sourceOf('endless')}`,
          ),
        alerts: [{ alert: 'RunStuck', roaster: 'endless' }],
        panels: [['siphon-pipeline', 'Oldest running']],
      },
      {
        name: 'a roaster whose runs are always partial',
        provoke: async (world) => {
          await addRun(world, 'incomplete', { startedAgo: '30 days', status: 'ok' });
          await addRun(world, 'incomplete', { startedAgo: '0 seconds', status: 'partial' });
          await world.sql(`update roasters set price_cadence = '0 4 * * 0' where slug = 'incomplete'`);
        },
        end: async (world) => await addRun(world, 'incomplete', { startedAgo: '0 seconds', status: 'ok' }),
        alerts: [{ alert: 'RunIncomplete', roaster: 'incomplete' }],
      },
      {
        name: 'a cadence that is a word',
        provoke: async (world) => {
          await addRoaster(world, 'whenever');
          await world.sql(`update roasters set price_cadence = 'weekly' where slug = 'whenever'`);
        },
        end: async (world) => await world.sql(`update roasters set price_cadence = null where slug = 'whenever'`),
        alerts: [{ alert: 'CadenceInvalid', roaster: 'whenever' }],
        panels: [['siphon-pipeline', 'Invalid cadences']],
      },
      ...databaseFaults,
      {
        name: 'a Sentry that refuses',
        provoke: async ({ watched }) =>
          watched.demo.sink.setFault({
            status: 429,
            headers: { 'x-sentry-rate-limits': '1:transaction;error:organization' },
          }),
        end: async ({ watched }) => watched.demo.sink.setFault(undefined),
        alerts: [{ alert: 'SentryExportFailing' }],
        panels: [['siphon-sidecar', 'What did not reach Sentry']],
      },
      {
        name: 'a receiver that does not answer',
        provoke: async ({ backend }) => backend.hang(true),
        end: async ({ backend }) => backend.hang(false),
        alerts: [{ alert: 'QueueFilling' }, { alert: 'DataDropped' }],
        panels: [['siphon-sidecar', 'Lost']],
      },
    ],
  },
  {
    name: 'while the database is slow, or hides something',
    faults: [
      {
        name: 'a transaction that hangs',
        ...demoFault('hanging_transaction'),
        alerts: [{ alert: 'IdleInTransaction' }],
        keptBack: [{ alert: 'LongTransaction' }, { alert: 'PollerLagging' }, { alert: 'XminAgeHigh' }],
        follow: ['RunFailed', 'PriceJobsFailing', 'RunSuccessLow'],
      },
      {
        name: 'a session that waits for the lock of an idle one',
        ...lockWait(),
        alerts: [],
        keptBack: [{ alert: 'LocksWaiting' }],
      },
      {
        name: 'a shop that answers slowly',
        ...shopFault('slow', 'slow_store'),
        alerts: [
          { alert: 'FetchSlow', roaster: 'slow' },
          { alert: 'FetchSlowed', roaster: 'slow' },
        ],
      },
      {
        name: 'roasters without a cadence',
        provoke: async (world) =>
          await world.sql(`
            create table kept_cadences as select id, price_cadence, full_cadence from roasters;
            update roasters set price_cadence = null, full_cadence = null`),
        end: async (world) =>
          await world.sql(`
            update roasters set price_cadence = kept.price_cadence, full_cadence = kept.full_cadence
            from kept_cadences kept where kept.id = roasters.id`),
        alerts: [{ alert: 'HealthScoreUnknown' }],
      },
      {
        name: 'a table that the poller may not read',
        provoke: async (world) => await world.sql('revoke select on prices from siphon'),
        end: async (world) => await world.sql('grant select on prices to siphon'),
        alerts: [{ alert: 'QueryOff' }],
        panels: [['siphon-sidecar', 'Queries that lack columns']],
      },
      {
        name: 'a function that the poller may not call',
        provoke: async (world) =>
          await world.sql('revoke execute on function jsonb_object_field_text(jsonb, text) from public'),
        end: async (world) =>
          await world.sql('grant execute on function jsonb_object_field_text(jsonb, text) to public'),
        alerts: [{ alert: 'PollerFailing' }],
      },
      {
        name: 'a table that is rewritten',
        provoke: async (world) => await world.sql('alter table scrape_artifacts alter column body_len type numeric'),
        end: async () => undefined,
        alerts: [],
        panels: [['siphon-sidecar', 'Counting restarted']],
      },
    ],
  },
  {
    name: 'while runs end well, and what they gather is wrong',
    faults: contentFaults,
  },
  {
    name: 'while the disk of the database is full',
    faults: [{ ...diskFull, follow: ['RunFailed', 'RunSuccessLow', 'RollbacksHigh'] }],
  },
  {
    name: 'while the database only reads',
    faults: [{ ...readOnly, follow: ['RunFailed', 'RunSuccessLow', 'RollbacksHigh'] }],
  },
  {
    name: 'while the database hides all roasters',
    faults: [{ ...hiddenRoasters, follow: [...bornAgain, 'RunSuccessLow', 'RunFailed'] }],
  },
  {
    name: 'while the sidecar starts again without a right',
    faults: [{ ...revokedBeforeRestart, follow: [...bornAgain, 'SidecarDown', 'RunSuccessLow', 'RunFailed'] }],
  },
  {
    name: 'while the scheduler is down',
    faults: [
      {
        name: 'price runs that are not started',
        provoke: async (world) => {
          for (let number = 0; number < 12; number++) await addRoaster(world, `idle-${number}`);
          await world.sql(`update roasters set price_cadence = '0 4 * * *' where slug like 'idle-%'`);
        },
        end: async (world) => await world.sql(`update roasters set is_active = false where slug like 'idle-%'`),
        alerts: [{ alert: 'PriceRunsStopped' }],
        // Sent for those that were late before.
        follow: ['HealthScoreLow', 'PriceRunOverdue'],
      },
    ],
  },
  {
    name: 'while the database is away, and Prometheus does not find a page',
    faults: [
      {
        name: 'a database that is stopped',
        ...demoFault('database_stopped'),
        alerts: [{ alert: 'DatabaseDown' }],
        follow: [...bornAgain, 'RunSuccessLow', 'RunFailed'],
        keptBack: [{ alert: 'PollerWithoutLeader' }],
      },
      {
        name: 'a page that Prometheus does not find',
        provoke: async ({ watched }) => await watched.setFound(['siphon']),
        end: async ({ watched }) => await watched.setFound(['services', 'siphon']),
        alerts: [{ alert: 'SidecarNotScraped' }],
        follow: bornAgain,
      },
    ],
  },
  {
    name: 'while the sidecar is full, and then away, and another takes the lead',
    faults: [
      {
        name: 'more series than it may hold',
        provoke: async (world) => await flood(world, 2 * MAX_SERIES),
        // A sidecar that starts again holds none of them.
        end: async () => undefined,
        alerts: [{ alert: 'SeriesLimitHit' }],
        panels: [['siphon-sidecar', 'Points that are not on the page']],
      },
      {
        name: 'a sidecar that is killed',
        provoke: async ({ watched }) => {
          await watched.prometheus.found('ALERTS{alertname="SeriesLimitHit", alertstate="firing"}');
          await watched.demo.setFault('sidecar_killed', true);
        },
        end: async ({ watched }) => await watched.demo.setFault('sidecar_killed', false),
        alerts: [{ alert: 'SidecarDown' }],
        follow: [...bornAgain, 'RunSuccessLow'],
      },
      {
        name: 'a sidecar that is not scraped has the lead',
        ...unseenLeader(),
        alerts: [{ alert: 'PollerWithoutLeader' }],
      },
    ],
  },
  {
    // The last one: series of services that have ended would count as new when another round hides the page.
    name: 'while services are in trouble',
    faults: [
      {
        name: 'a service that fails',
        ...troubledService('failing'),
        alerts: [{ alert: 'ServiceErrors' }],
        panels: [
          ['siphon-service', 'Requests'],
          ['siphon-service', 'Failed requests'],
          ['siphon-service', 'Answers by status'],
          ['siphon-service', 'Routes'],
        ],
      },
      {
        name: 'a service that answers slowly',
        ...troubledService('slow'),
        alerts: [{ alert: 'ServiceSlow' }],
        panels: [
          ['siphon-service', 'Duration of requests (p95)'],
          ['siphon-service', 'Requests without an answer'],
        ],
      },
      {
        name: 'a service that blocks its event loop',
        ...troubledService('blocking'),
        alerts: [{ alert: 'EventLoopBlocked' }],
      },
    ],
  },
];

/** Alerts that none of them raises, each with the reason; their worlds are promtool's. */
export const notProvoked: Readonly<Record<string, string>> = {
  PollerBacklog: 'a burst of any size is drained immediately: only a database that is too slow leaves a backlog',
  FreezeAgeHigh: 'half a billion transactions take longer than a test',
  MultixactAgeHigh: 'hundreds of millions of multixacts take longer than a test',
  CacheHitsLow: 'the database of the demo fits into the cache',
  ArchivingFails: 'archive_mode is off in the demo',
  StandbyLag: 'the demo has no standby',
  ReplayLag: 'the demo has no standby',
  SubscriptionFails: 'the demo has one server',
  InvalidIndexes: 'its query runs once an hour',
  ChecksumFailures: 'a damaged page would end the demo',
  ScrapeSlow: 'ten thousand series take 10 ms: nothing but a machine that starves makes that a second',
  Watchdog: 'it always fires',
};

/** Panels whose emptiness is healthy and that none of them fills, each with the reason. */
export const notFilled: Readonly<Record<string, string>> = {
  'Reads and writes of artifacts': 'no fault: a demo fills it',
  'What Sentry has taken': 'no fault: a demo fills it',
  'Changes by currency': 'no fault: a demo fills it',
  'Changes by roaster': 'no fault: a demo fills it',
  'Time to connect': 'no fault: a demo fills it',
  'Damaged pages': 'a damaged page would end the demo',
  'Requests sent': 'no fault: a demo fills it',
  'Duration of sent requests': 'no fault: a demo fills it',
  'Failed requests to others': 'no fault: a demo fills it',
  'Statements sent': 'no fault: a demo fills it',
  'Duration of statements': 'no fault: a demo fills it',
  'Failed statements': 'no fault: a demo fills it',
  'Blocks in temporary files': 'the statements of the demo fit into work_mem',
  'Largest indexes with a problem': 'no index of the demo has a problem',
  'Files of the write-ahead log': 'the role of the demo may not call pg_ls_waldir()',
  'Time of reads and writes': 'track_io_timing is off in the demo',
  'Archived files': 'archive_mode is off in the demo',
  'Archiving fails': 'archive_mode is off in the demo',
  'Lag of standbys': 'the demo has no standby',
  'Lag of standbys in bytes': 'the demo has no standby',
  'Lag of this standby': 'the demo has no standby',
  'Queries ended by the replay': 'the demo has no standby',
  Subscriptions: 'the demo has no subscription',
  'PostgreSQL asked to slow down': 'a server that has no connection left has none for the poller',
};

/** It takes the lead as soon as the one that is scraped is killed, and has it still when that is back. */
function unseenLeader(): Switch {
  let rival: Sidecar | undefined;
  return {
    provoke: async (world) => {
      rival = await world.startRival();
      await world.watched.prometheus.found('siphon_db_poller_leader == 0', 60_000);
    },
    end: async () => await rival?.stop(),
  };
}
