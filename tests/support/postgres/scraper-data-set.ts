/**
 * A scraper's database after 200 weeks: 50 roasters, and at scale 1 fifty thousand variants, each priced once a week
 * (10 M prices), 200 k runs of 20 artifacts each. Rows lie in the order in which a scraper would have written them.
 */
import { Client } from 'pg';

export interface DataSetShape {
  readonly weeks: number;
  readonly coffeesPerRoaster: number;
  readonly runsPerRoaster: number;
}

const ROASTERS = 50;
const VARIANTS_PER_COFFEE = 5;
const ARTIFACTS_PER_RUN = 20;
/** Fills each table with this number of statements, so that progress can be reported. */
const RUN_CHUNKS = 20;

export function shapeOf(scale: number): DataSetShape {
  return {
    weeks: 200,
    coffeesPerRoaster: Math.max(1, Math.round(200 * scale)),
    runsPerRoaster: Math.max(RUN_CHUNKS, Math.round(4000 * scale)),
  };
}

/** Fills the empty tables of the demo's schema. Two tables at a time, their indexes afterwards. */
export async function generateDataSet(
  url: string,
  shape: DataSetShape,
  progress: (line: string) => void,
): Promise<void> {
  await withSession(url, async (session) => {
    for (const statement of catalogue(shape)) await session.run(statement);
    progress(`${ROASTERS * shape.coffeesPerRoaster * VARIANTS_PER_COFFEE} variants`);
  });
  const fills = [
    async (session: Session): Promise<void> => {
      await fillPrices(session, shape, progress);
    },
    async (session: Session): Promise<void> => {
      await fillRuns(session, shape, progress);
    },
  ];
  await Promise.all(fills.map((fill) => withSession(url, fill)));
  await withSession(url, async (session) => {
    // Does the work that autovacuum would have done by then.
    await session.run('vacuum (analyze)');
    progress('vacuumed and analysed');
  });
}

const catalogue = ({ coffeesPerRoaster }: DataSetShape): string[] => [
  `insert into roasters (name, slug, platform, full_cadence, price_cadence)
   select 'Roaster ' || r, 'roaster-' || r, (enum_range(null::platform_enum))[1 + r % 4], '0 3 1 * *', '0 4 * * 0'
   from generate_series(1, ${ROASTERS}) r`,
  `insert into product_sources (roaster_id, base_url, platform, products_endpoint)
   select id, 'https://' || slug || '.example', platform, '/products.json' from roasters`,
  `insert into coffees (roaster_id, name, slug, status, processing_status, created_at)
   select r.id, 'Coffee ' || n, 'coffee-' || n,
          case when n % 12 = 0 then 'discontinued' when n % 9 = 0 then 'seasonal' else 'active' end::coffee_status_enum,
          case when n % 15 = 0 then 'review' when n % 40 = 0 then 'error' else 'ok' end::processing_status_enum,
          now() - interval '200 weeks'
   from roasters r, generate_series(1, ${coffeesPerRoaster}) n order by r.slug, n`,
  `insert into variants (coffee_id, platform_variant_id, currency, price_current, in_stock, status, created_at, price_last_checked_at)
   select c.id, v::text, case when c.processing_status = 'error' then 'USD' else 'INR' end, 400, random() < 0.8,
          case when random() < 0.9 then 'active' when random() < 0.5 then 'missing' else 'archived' end,
          now() - interval '200 weeks', now() - random() * interval '9 days'
   from coffees c, generate_series(1, ${VARIANTS_PER_COFFEE}) v`,
];

/** Each roaster has its own hour of the week; one variant in ten changes its price from one week to the next. */
async function fillPrices(session: Session, { weeks }: DataSetShape, progress: (line: string) => void): Promise<void> {
  await session.run(
    `create temp table numbered as
     select v.id, v.currency, row_number() over (order by r.id, v.id)::int as n,
            dense_rank() over (order by r.id) * interval '7 days' / ${ROASTERS + 1} as hour
     from variants v join coffees c on c.id = v.coffee_id join roasters r on r.id = c.roaster_id;
     create index on numbered (n);
     analyze numbered`,
  );
  await withoutIndexes(session, 'prices', async () => {
    for (let week = weeks; week > 0; week--) {
      await session.run(
        `insert into prices (variant_id, price, currency, is_sale, scraped_at, source_url)
         select id, 300 + n % 700 + ((n + ${week}) / 10) % 7 * 10, currency, (n + ${week}) % 11 = 0,
                now() - ${week} * interval '7 days' + hour + n % 1000 * interval '1 second', '/products.json'
         from (select * from numbered order by n) one`,
      );
      if (week % 20 === 1) progress(`prices: ${Math.round((100 * (weeks - week + 1)) / weeks)} %`);
    }
    progress('prices: indexes');
  });
  progress('prices: done');
}

async function fillRuns(
  session: Session,
  { runsPerRoaster }: DataSetShape,
  progress: (line: string) => void,
): Promise<void> {
  await session.run(
    `insert into scrape_runs (source_id, started_at, finished_at, status, stats_json)
     select id, started_at, case when not is_running then started_at + interval '10 minutes' end,
            case when is_running then null when n % 20 = 0 then 'fail' when n % 10 = 3 then 'partial' else 'ok' end::run_status_enum,
            jsonb_build_object('job_type', case when n % 4 = 0 then 'full' else 'price_only' end, 'artifacts', ${ARTIFACTS_PER_RUN})
     from (select s.id, n, now() - (n - random() / 2) * interval '200 weeks' / ${runsPerRoaster} as started_at,
                  n = 1 and random() < 0.2 as is_running
           from product_sources s, generate_series(1, ${runsPerRoaster}) n) one
     order by started_at`,
  );
  progress(`${ROASTERS * runsPerRoaster} runs`);
  await withoutIndexes(session, 'scrape_artifacts', async () => {
    for (let chunk = 0; chunk < RUN_CHUNKS; chunk++) {
      await session.run(
        `insert into scrape_artifacts (run_id, url, http_status, body_len)
         select run.id, '/products.json?page=' || page,
                case when dice < 0.9 then 200 when dice < 0.94 then 304 when dice < 0.96 then 404
                     when dice < 0.98 then 429 when dice < 0.99 then 503 end,
                case when dice < 0.9 then (dice * 400000)::int end
         from (select id from scrape_runs order by started_at, id
               offset ${(chunk * ROASTERS * runsPerRoaster) / RUN_CHUNKS} limit ${(ROASTERS * runsPerRoaster) / RUN_CHUNKS}) run
         cross join lateral (select page, random() as dice from generate_series(1, ${ARTIFACTS_PER_RUN}) page
                             where run.id is not null) pages`,
      );
      if (chunk % 5 === 4) progress(`artifacts: ${(100 * (chunk + 1)) / RUN_CHUNKS} %`);
    }
    progress('artifacts: indexes');
  });
  progress('artifacts: done');
}

interface Definition {
  readonly drop: string;
  readonly create: string;
}

/** Drops constraints with an index, foreign keys and other indexes, and creates them again after `fill`. */
async function withoutIndexes(session: Session, table: string, fill: () => Promise<void>): Promise<void> {
  const definitions = await session.rows<Definition>(
    `select format('alter table %s drop constraint %I', conrelid::regclass, conname) as drop,
            format('alter table %s add constraint %I %s', conrelid::regclass, conname, pg_get_constraintdef(oid)) as create
     from pg_constraint where conrelid = $1::regclass and contype in ('p', 'u', 'f')
     union all
     select format('drop index %s', indexrelid::regclass), pg_get_indexdef(indexrelid)
     from pg_index i where indrelid = $1::regclass
       and not exists (select from pg_constraint c where c.conindid = i.indexrelid and c.conrelid = i.indrelid)`,
    [table],
  );
  for (const { drop } of definitions) await session.run(drop);
  await fill();
  for (const { create } of definitions) await session.run(create);
}

interface Session {
  /** Each call is a transaction of its own. */
  run(text: string): Promise<void>;
  rows<T extends object>(text: string, values: readonly unknown[]): Promise<T[]>;
}

async function withSession(url: string, body: (session: Session) => Promise<void>): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    await client.query("set maintenance_work_mem = '256MB'; set work_mem = '64MB'; set synchronous_commit = off");
    await body({
      run: async (text) => {
        await client.query(text);
      },
      rows: async <T extends object>(text: string, values: readonly unknown[]) =>
        (await client.query<T>(text, [...values])).rows,
    });
  } finally {
    await client.end();
  }
}
