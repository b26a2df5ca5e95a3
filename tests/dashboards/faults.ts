/** Faults, the alerts that must report them, and the panels that must show them. */
import { Client } from 'pg';
import type { DashboardUid } from '../../src/dashboards/model/panel.ts';
import type { Fault as DemoFault } from '../../examples/coffee/fault.ts';
import type { Sidecar } from '../../examples/coffee/sidecar.ts';
import type { StoreFault } from '../../examples/coffee/stores/store.ts';
import type { FaultEnvironment, Shop } from '../support/alerts/fault-environment.ts';

export interface ExpectedAlert {
  readonly alert: string;
  readonly roaster?: string;
}

export interface Fault {
  readonly name: string;
  readonly provoke: (world: FaultEnvironment) => Promise<unknown>;
  readonly end: (world: FaultEnvironment) => Promise<unknown>;
  readonly alerts: readonly ExpectedAlert[];
  /** Alerts that may come with it, because what they are about is wrong then too. */
  readonly follow?: readonly string[];
  /** Panels that must show data that they did not show before. */
  readonly panels?: readonly (readonly [dashboard: DashboardUid, title: string])[];
  /** Alerts that Prometheus raises meanwhile, and Alertmanager keeps back. */
  readonly keptBack?: readonly string[];
}

/** The faults of a round are provoked together, because they do not affect each other. */
export interface Round {
  readonly name: string;
  readonly faults: readonly Fault[];
}

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
  LongTransaction: {warning: 6, critical: off}
  PollerLagging: {warning: 6, critical: off}
  PollerFailing: {warning: 8, critical: off}
  PollerBacklog: {warning: 2000, critical: off, for: 2m}
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
          { alert: 'ArtifactErrors', roaster: 'closed' },
          { alert: 'RunFailed', roaster: 'closed' },
          { alert: 'PriceJobsFailing' },
          { alert: 'RunSuccessLow' },
        ],
        panels: [
          ['siphon-pipeline', 'Fetch errors by kind'],
          ['siphon-roaster', 'Fetch errors'],
        ],
      },
      {
        name: 'a shop that asks to slow down',
        ...shopFault('busy', 'rate_limit_storm'),
        alerts: [
          { alert: 'RateLimited' },
          { alert: 'FetchErrors', roaster: 'busy' },
          { alert: 'RunFailed', roaster: 'busy' },
        ],
        follow: ['ArtifactErrors'],
        panels: [
          ['siphon-prices', 'Rate limits and backoff'],
          ['siphon-roaster', 'Requests to slow down'],
        ],
      },
      {
        name: 'prices that jump',
        ...shopFault('spiking', 'price_spike'),
        alerts: [{ alert: 'PriceSpikes', roaster: 'spiking' }],
        panels: [
          ['siphon-prices', 'Spikes'],
          ['siphon-prices', 'Spikes within the window'],
        ],
      },
      {
        name: 'products that are broken',
        ...shopFault('broken', 'invalid_products'),
        alerts: [{ alert: 'ValidationErrors', roaster: 'broken' }],
        panels: [
          ['siphon-pipeline', 'Problems found by validation'],
          ['siphon-roaster', 'Validation problems'],
        ],
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
      { name: 'connections near the limit', ...connectionsTaken(), alerts: [{ alert: 'ConnectionsNearLimit' }] },
      {
        name: 'a burst of prices',
        provoke: async (world) => await burst(world),
        end: async () => undefined,
        alerts: [{ alert: 'PollerBacklog' }],
      },
      {
        name: 'a Sentry that refuses',
        provoke: async ({ watched }) =>
          watched.demo.sink.setFault({
            status: 429,
            headers: { 'x-sentry-rate-limits': '1:transaction;error:organization' },
          }),
        end: async ({ watched }) => watched.demo.sink.setFault(undefined),
        alerts: [{ alert: 'SentryExportFailing' }],
        panels: [['siphon-pipeline', 'What did not reach Sentry']],
      },
      {
        name: 'a receiver that does not answer',
        provoke: async ({ backend }) => backend.hang(true),
        end: async ({ backend }) => backend.hang(false),
        alerts: [{ alert: 'QueueFilling' }, { alert: 'DataDropped' }],
        panels: [['siphon-pipeline', 'Lost']],
      },
    ],
  },
  {
    name: 'while the database is slow, or hides something',
    faults: [
      {
        name: 'a transaction that hangs',
        ...demoFault('hanging_transaction'),
        alerts: [{ alert: 'LongTransaction' }, { alert: 'PollerLagging' }],
        follow: ['RunFailed', 'PriceJobsFailing', 'RunSuccessLow'],
      },
      {
        name: 'a shop that answers slowly',
        ...shopFault('slow', 'slow_store'),
        alerts: [{ alert: 'FetchSlow', roaster: 'slow' }],
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
        alerts: [{ alert: 'PollerFailing' }],
        panels: [['siphon-database', 'Queries that lack columns']],
      },
      {
        name: 'a table that is rewritten',
        provoke: async (world) => await world.sql('alter table scrape_artifacts alter column body_len type numeric'),
        end: async () => undefined,
        alerts: [],
        panels: [['siphon-database', 'Counting restarted']],
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
        keptBack: ['PollerWithoutLeader'],
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
        provoke: async (world) => await flood(world),
        // A sidecar that starts again holds none of them.
        end: async () => undefined,
        alerts: [{ alert: 'SeriesLimitHit' }],
        panels: [['siphon-pipeline', 'Points that are not on the page']],
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
        follow: ['HealthScoreUnknown'],
      },
    ],
  },
];

/** Alerts that none of them raises, each with the reason; their worlds are promtool's. */
export const notProvoked: Readonly<Record<string, string>> = {
  FreezeAgeHigh: 'half a billion transactions take longer than a test',
  ScrapeSlow: 'ten thousand series take 10 ms: nothing but a machine that starves makes that a second',
  Watchdog: 'it always fires',
};

/** Panels whose emptiness is healthy and that none of them fills, each with the reason. */
export const notFilled: Readonly<Record<string, string>> = {
  'Reads and writes of artifacts': 'no fault: a demo fills it',
  'What Sentry has taken': 'no fault: a demo fills it',
  'Changes by currency': 'no fault: a demo fills it',
  'Changes by roaster': 'no fault: a demo fills it',
  'Time to connect (p95)': 'no fault: a demo fills it',
  'PostgreSQL asked to slow down': 'a server that has no connection left has none for the poller',
};

type Switch = Pick<Fault, 'provoke' | 'end'>;

function shopFault(shop: Shop, fault: StoreFault): Switch {
  return {
    provoke: async (world) => world.shop(shop).setFault(fault, true),
    end: async (world) => world.shop(shop).setFault(fault, false),
  };
}

function demoFault(fault: DemoFault): Switch {
  return {
    provoke: async ({ watched }) => await watched.demo.setFault(fault, true),
    end: async ({ watched }) => await watched.demo.setFault(fault, false),
  };
}

/** Takes connections, but leaves the sidecar and the pipeline theirs. */
function connectionsTaken(): Switch {
  const clients: Client[] = [];
  return {
    provoke: async ({ watched }) => {
      for (let count = 0; count < 80; count++) {
        const client = new Client({ connectionString: watched.demo.databaseUrl });
        await client.connect();
        clients.push(client);
      }
    },
    end: async () => await Promise.all(clients.map(async (client) => await client.end())),
  };
}

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

function sourceOf(roaster: string): string {
  return `(select s.id from product_sources s join roasters r on r.id = s.roaster_id where r.slug = '${roaster}')`;
}

interface Run {
  readonly startedAgo: string;
  /** It has not ended without one. */
  readonly status?: 'ok' | 'fail';
  readonly times?: number;
}

/** Adds a roaster that the pipeline does not scrape. */
async function addRoaster(world: FaultEnvironment, slug: string): Promise<void> {
  await world.sql(
    `with roaster as (
       insert into roasters (slug, name, platform, created_at) values ($1, $1, 'custom', now() - interval '40 days')
       on conflict (slug) do nothing returning id
     )
     insert into product_sources (roaster_id, base_url, platform, products_endpoint)
     select id, 'http://127.0.0.1', 'custom', '/' from roaster`,
    [slug],
  );
}

async function addRun(world: FaultEnvironment, roaster: string, { startedAgo, status, times = 1 }: Run): Promise<void> {
  await addRoaster(world, roaster);
  await world.sql(
    `insert into scrape_runs (source_id, started_at, finished_at, status)
     select ${sourceOf(roaster)}, now() - $1::interval - interval '1 second' * number,
            case when $2::run_status_enum is null then null else now() end, $2
     from generate_series(1, $3) number`,
    [startedAgo, status, times],
  );
}

/** Its runs have failed for days, its last success is out of sight, and everything that it sells waits for review. */
async function neglect(world: FaultEnvironment): Promise<void> {
  await addRun(world, 'neglected', { startedAgo: '5 days', status: 'fail', times: 5000 });
  await world.sql(`
    update roasters set price_cadence = '0 4 * * 0', full_cadence = '0 3 1 * *' where slug = 'neglected';
    insert into coffees (roaster_id, name, slug, processing_status)
    select id, 'coffee ' || number, 'coffee-' || number, 'review' from roasters, generate_series(1, 300) number
    where slug = 'neglected'`);
}

async function takeCare(world: FaultEnvironment): Promise<void> {
  await world.sql(`
    delete from scrape_runs where source_id = ${sourceOf('neglected')};
    update coffees set processing_status = 'ok' where roaster_id = (select id from roasters where slug = 'neglected')`);
  await addRun(world, 'neglected', { startedAgo: '1 second', status: 'ok' });
}

/** Writes to variants that no one else writes, so that it does not wait for locks. */
async function burst(world: FaultEnvironment): Promise<void> {
  await addRoaster(world, 'bursting');
  await world.sql(`
    with coffee as (
      insert into coffees (roaster_id, name, slug)
      select id, 'coffee', 'coffee' from roasters where slug = 'bursting' returning id
    ), variant as (
      insert into variants (coffee_id, platform_variant_id, currency, in_stock)
      select id, number, 'INR', true from coffee, generate_series(1, 1000) number returning id
    )
    insert into prices (variant_id, price, currency, scraped_at)
    select id, 100, 'INR', now() - interval '1 microsecond' * number from variant, generate_series(1, 16) number`);
}

/** Sends metrics of a service that uses an id as a label. */
async function flood({ watched }: FaultEnvironment): Promise<void> {
  const dataPoints = Array.from({ length: 2 * MAX_SERIES }, (_, number) => ({
    asInt: '1',
    timeUnixNano: `${Date.now()}000000`,
    attributes: [{ key: 'id', value: { stringValue: String(number) } }],
  }));
  const metrics = [{ name: 'careless', gauge: { dataPoints } }];
  const response = await fetch(`http://127.0.0.1:${watched.demo.ports.otlpHttp}/v1/metrics`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ resourceMetrics: [{ resource: {}, scopeMetrics: [{ metrics }] }] }),
  });
  if (!response.ok) throw new Error(`the sidecar answered ${response.status}: ${await response.text()}`);
}
