import { readFile } from 'node:fs/promises';
import { load } from 'js-yaml';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Finding } from '../../../../src/engine/component.ts';
import { metricName } from '../../../../src/components/exporters/prometheus/names/metric-name.ts';
import { dbPollerReceiver } from '../../../../src/components/receivers/db-poller/factory.ts';
import { packs as builtInPacks } from '../../../../src/packs/index.ts';
import { findingsOf } from '../../../support/components/findings.ts';
import { startTestPostgres, type TestPostgres } from '../../../support/postgres/test-postgres.ts';
import { waitFor } from '../../../support/wait-for.ts';
import { PollerUnderTest } from './poller-under-test.ts';

type Query = Readonly<Record<string, unknown>> & { readonly name: string };

interface Example {
  /** The changes of the tables, one transaction after another. */
  readonly writes: readonly string[];
  readonly numbers: Readonly<Record<string, number>>;
}

const payments = [
  `insert into shop.orders (country, channel, amount) values ('DE', 'web', 20)`,
  'update shop.orders set paid_at = now()',
  `update shop.orders set state = 'packed'`,
  `update shop.orders set state = 'shipped'`,
];

/** Each query in the README has an example. */
const examples: Readonly<Record<string, Example>> = {
  orders: {
    writes: [
      `insert into public.orders (country) select 'DE' from generate_series(1, 10)`,
      ...['paid', 'packed', 'shipped'].map((state) => `update public.orders set state = '${state}'`),
    ],
    numbers: { 'shop.orders{country=DE}': 10 },
  },
  orders_placed: { writes: payments, numbers: { 'orders.placed{channel=web,country=DE}': 1 } },
  orders_paid: { writes: payments, numbers: { 'orders.paid{}': 1 } },
  order_amounts: { writes: payments, numbers: { 'order.amount_count{}': 1, 'order.amount_sum{}': 20 } },
  logins: {
    writes: [`insert into shop.events (kind) select unnest('{login,login,logout}'::text[])`],
    numbers: { 'logins{}': 2 },
  },
  shipments: {
    writes: [
      `insert into shop.shipments select n, '2026-01-31' from generate_series(1, 100) n`,
      `update shop.shipments set shipped_on = '2026-02-01' where id <= 30`,
    ],
    numbers: { 'shipments{}': 100 },
  },
  queue: {
    writes: [`insert into shop.jobs (state) select unnest('{due,due,done}'::text[])`],
    numbers: { 'jobs.waiting{state=due}': 2, 'jobs.waiting{state=done}': 1 },
  },
  revenue: {
    writes: [
      `insert into shop.orders (country, total_cents) values ('DE', 1000)`,
      'update shop.orders set total_cents = 1250, paid_at = now()',
      'update shop.orders set total_cents = 9900',
    ],
    numbers: { 'revenue{country=DE}': 12.5 },
  },
  shipping_time: {
    writes: [
      'truncate shop.orders',
      `insert into shop.orders (country, carrier_id, "Payment Method", paid_at) values ('DE', 7, 'card', '2026-01-01 10:00')`,
      `update shop.orders set shipped_at = '2026-01-01 12:00'`,
    ],
    numbers: {
      'shipping.time_count{carrier=swift,country=DE,payment=card,site=berlin}': 1,
      'shipping.time_sum{carrier=swift,country=DE,payment=card,site=berlin}': 7200,
    },
  },
  open_orders: {
    writes: ['truncate shop.orders', `insert into shop.orders (country) values ('DE'), ('DE'), ('FR')`],
    numbers: { 'orders.open{country=DE}': 2, 'orders.open{country=FR}': 1 },
  },
};

let database: TestPostgres;
let queries: readonly Query[];
beforeAll(async () => {
  queries = await queriesOfReadme();
  database = await startTestPostgres({ schema: false, parameters: { wal_writer_delay: '10ms' } });
  await database.sql(`
    create schema shop;
    create table public.orders (id bigint generated always as identity primary key, country text, state text, created_at timestamptz default now());
    create table shop.orders (id bigint generated always as identity primary key, country text, channel text, amount numeric,
                              state text, paid_at timestamptz, created_at timestamptz default now(), total_cents int,
                              shipped_at timestamptz, carrier_id int, "Payment Method" text);
    create table shop.carriers (id int primary key, slug text); insert into shop.carriers values (7, 'swift');
    create view shop.open_orders as select country, count(*) as orders from shop.orders where shipped_at is null group by country;
    create table shop.events (id bigint generated always as identity primary key, kind text);
    create table shop.shipments (id bigint, shipped_on date, primary key (id, shipped_on)) partition by range (shipped_on);
    create table shop.shipments_1 partition of shop.shipments for values from ('2026-01-01') to ('2026-02-01');
    create table shop.shipments_2 partition of shop.shipments for values from ('2026-02-01') to ('2026-03-01');
    create table shop.jobs (id bigint generated always as identity primary key, state text);
    grant usage on schema shop to ${database.pollerRole};
    grant select on all tables in schema shop, public to ${database.pollerRole}`);
});
afterAll(() => database[Symbol.asyncDispose]());

it('every query in the README has an example here', () => {
  expect(queries.map(({ name }) => name).toSorted()).toEqual(Object.keys(examples).toSorted());
});

it('every name of Prometheus in the README is the one on the scrape page', async () => {
  const names = (await blocksOfReadme()).flatMap((yaml) => [
    ...yaml.matchAll(/metric_name: (\S+) +# Prometheus: (\w+)/g),
  ]);
  expect(names).toHaveLength(queries.length);
  for (const [, metric, name] of names) {
    const { kind, unit = '' } = queries.find(({ metric_name }) => metric_name === metric)!;
    const type = kind === 'sum' ? 'counter' : (kind as 'counter' | 'histogram' | 'gauge');
    const suffix = kind === 'histogram' ? '_bucket' : '';
    expect(`${metricName(metric!, String(unit), type, { suffixes: true, utf8: false, namespace: '' })}${suffix}`).toBe(name); // prettier-ignore
  }
});

it('doctor finds nothing wrong with the queries in the README', async () => {
  const found: Finding[] = await findingsOf(dbPollerReceiver(builtInPacks), {
    datasource: database.pollerUrl,
    storage: 'file_storage',
    leader_election: { enabled: false },
    queries,
  });
  expect(found.filter(({ severity }) => severity !== 'ok' && severity !== 'note')).toEqual([]);
});

it.each(Object.keys(examples))('%s in the README has the right numbers', async (name) => {
  const { writes, numbers } = examples[name]!;
  const query = queries.find((one) => one.name === name)!;
  const config = {
    datasource: database.pollerUrl,
    collection_interval: '50ms',
    leader_election: { enabled: false },
    queries: [query],
  };
  await using poller = await PollerUnderTest.start(config);
  const polled = async (): Promise<number | undefined> =>
    await poller.own(`query_duration_seconds_count{query="${name}"}`);
  const anotherPoll = async (): Promise<void> => {
    const last = await polled();
    await waitFor(async () => (await polled()) !== last, { what: 'a poll' });
  };
  await anotherPoll();
  for (const write of writes) {
    await database.sql(write);
    // Each write is settled, and counted, before the next.
    await anotherPoll();
    await anotherPoll();
  }
  await waitFor(() => Object.entries(numbers).every(([key, value]) => poller.series.get(key) === value), {
    what: JSON.stringify(numbers),
  }).catch(() => undefined);
  expect(Object.fromEntries(poller.series)).toEqual(numbers);
});

/** The queries of every YAML block in the README of the receiver. */
async function queriesOfReadme(): Promise<Query[]> {
  const blocks = (await blocksOfReadme()).map((yaml) => load(yaml) as Block);
  return blocks.flatMap(({ queries: own = [], receivers }) => [...own, ...(receivers?.db_poller.queries ?? [])]);
}

async function blocksOfReadme(): Promise<string[]> {
  const path = new URL('../../../../src/components/receivers/db-poller/README.md', import.meta.url);
  const text = await readFile(path, 'utf8');
  return [...text.matchAll(/^```yaml\n(.*?)^```$/gms)].map(([, yaml]) => yaml!);
}

interface Block {
  readonly queries?: Query[];
  readonly receivers?: { readonly db_poller: { readonly queries?: Query[] } };
}
