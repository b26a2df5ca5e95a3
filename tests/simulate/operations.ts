/** The operations of the writers, each a part of a transaction, and what each adds to the counters. */
import type { Client } from 'pg';
import type { Draft, Labels } from './ledger.ts';
import type { Random } from './random.ts';

/** A source of product pages, and whose rows are labelled how. */
export interface Source {
  readonly id: string | undefined;
  readonly roasterId: string;
  readonly labels: { readonly roaster: string; readonly platform: string };
}

/** The committed rows of one writer. No two writers share a variant or a run. */
export interface Possessions {
  readonly source: Source;
  readonly coffees: { readonly id: string; readonly slug: string }[];
  readonly variants: Variant[];
  readonly openRuns: Run[];
  readonly finishedRuns: Run[];
}

export interface Variant {
  readonly id: string;
  readonly currency: string;
  readonly isBulk: boolean;
  /** The clock that dates its prices. */
  readonly clock: 'server' | Clock;
  /** The time of its latest price by the client's clock. */
  clockMs: number;
  price: number | undefined;
}

/** The clock of a client: correct, a month late, or late by the margin of siphon's poller. */
type Clock = 'right' | 'late' | 'edge';

export interface Run {
  readonly id: string;
  readonly labels: Labels;
  /** In which it finished, if it has. */
  readonly phase: number;
}

/** An open transaction, or the part of it since a savepoint. */
export interface Work {
  readonly client: Client;
  readonly draft: Draft;
  readonly random: Random;
  readonly own: Possessions;
  /** Rows of earlier phases are known to have been counted. */
  readonly phase: number;
}

export type Operation = (work: Work) => Promise<void>;

const STATUSES = ['ok', 'partial', 'fail'];
const HTTP_STATUSES = [200, 200, 200, 304, 404, 429, 503, 418, null];
const NO_SOURCE: Labels = { roaster: 'unknown', platform: 'other' };
/** More than siphon takes in one poll. */
const BULK_ROWS = [501, 3500] as const;
const HOUR_MS = 3_600_000;
const LATE_MS: Readonly<Record<Clock, number>> = { right: 0, edge: HOUR_MS, late: 720 * HOUR_MS };
const RUN_LATE_MS: Readonly<Record<Clock, number>> = { right: 0, edge: 24 * HOUR_MS, late: 720 * HOUR_MS };
const JITTER_MS = 4000;

/** How often each is chosen. */
export const operations: readonly (readonly [weight: number, operation: Operation])[] = [
  [30, recordPrices],
  [20, startRun],
  [25, finishRun],
  [10, touchFinishedRun],
  [5, upsertCoffee],
  [8, upsertVariant],
];

/** Thousands of rows in one statement, to reach the wanted number of rows. */
export const bulkOperations: readonly Operation[] = [recordBulkPrices, recordBulkPrices, recordBulkArtifacts];

/** The rows that a writer needs. */
export async function settle(work: Work): Promise<void> {
  const coffeeId = await createCoffee(work);
  const clocks = ['right', 'late', 'edge'] as const;
  for (const clock of ['server', ...clocks] as const) await createVariant(work, coffeeId, { clock, isBulk: false });
  for (const clock of clocks) await createVariant(work, coffeeId, { clock, isBulk: true });
}

/** Prices one by one, through the scraper's own function. */
async function recordPrices({ client, draft, random, own }: Work): Promise<void> {
  const variants = own.variants.filter(({ isBulk }) => !isBulk);
  for (let left = random.between(1, 5); left > 0; left--) {
    const variant = random.pick(variants);
    const price = random.between(90, 110);
    const isSale = random.happens(0.2);
    const scrapedAt = variant.clock === 'server' ? null : nextTime(variant, random, 1);
    const values = [variant.id, price, variant.currency, isSale, scrapedAt];
    await client.query('select rpc_insert_price($1, $2, $3, $4, $5)', values);
    draft.rows++;
    countPrice(draft, { own, variant, price, isSale });
  }
}

async function recordBulkPrices({ client, draft, random, own }: Work): Promise<void> {
  const variant = random.pick(own.variants.filter(({ isBulk }) => isBulk));
  const rows = random.between(...BULK_ROWS);
  await client.query(
    `insert into prices (variant_id, price, currency, is_sale, scraped_at)
     select $1, 100 + n * 7 % 13, $2, n % 10 = 0, $3::timestamptz + n * interval '1 millisecond'
     from generate_series(1, $4::int) n`,
    [variant.id, variant.currency, nextTime(variant, random, rows), rows],
  );
  draft.rows += rows;
  for (let n = 1; n <= rows; n++) {
    countPrice(draft, { own, variant, price: 100 + ((n * 7) % 13), isSale: n % 10 === 0 });
  }
}

/** Before the first of so many prices, a millisecond each; later than all prices of the variant before. */
function nextTime(variant: Variant, random: Random, prices: number): Date {
  const lateMs = variant.clock === 'server' ? 0 : LATE_MS[variant.clock];
  const wanted = Date.now() - lateMs + random.between(-JITTER_MS, JITTER_MS);
  const time = Math.max(variant.clockMs + 1, wanted);
  variant.clockMs = time + prices;
  return new Date(time);
}

function countPrice(
  draft: Draft,
  { own, variant, price, isSale }: { own: Possessions; variant: Variant; price: number; isSale: boolean },
): void {
  const { labels } = own.source;
  const { currency } = variant;
  draft.count('prices_recorded_total', { ...labels, currency, is_sale: isSale });
  const previous = draft.priceOf(variant.id) ?? variant.price;
  const change = previous === undefined ? 'first' : changeOf(price - previous);
  draft.count('price_deltas_total', { ...labels, currency, change_type: change });
  if (previous !== undefined && previous !== price) {
    draft.observe('price_change_ratio', { ...labels, currency }, price / previous);
  }
  draft.setPrice(variant.id, price);
  draft.afterwards(() => {
    variant.price = price;
  });
}

function changeOf(difference: number): string {
  if (difference === 0) return 'unchanged';
  return difference > 0 ? 'increase' : 'decrease';
}

async function startRun(work: Work): Promise<void> {
  const { client, draft, random, own, phase } = work;
  const { id: sourceId, labels } = random.happens(0.05) ? { id: undefined, labels: NO_SOURCE } : own.source;
  const clock = random.happens(0.7) ? 'right' : random.pick(['late', 'edge'] as const);
  const startedAt = new Date(Date.now() - RUN_LATE_MS[clock] + random.between(-JITTER_MS, 0));
  const text = 'insert into scrape_runs (source_id, started_at) values ($1, $2) returning id';
  const id = await returned(client, text, [sourceId, startedAt]);
  draft.rows++;
  draft.count('scrape_runs_started_total', labels);
  const run: Run = { id, labels, phase };
  for (let left = random.between(0, 6); left > 0; left--) await recordArtifact(work, run);
  if (random.happens(0.3)) await finish(work, run);
  else draft.afterwards(() => own.openRuns.push(run));
}

/** A few belong to no run. */
async function recordArtifact({ client, draft, random }: Work, run: Run): Promise<void> {
  const isOrphan = random.happens(0.05);
  const status = random.pick(HTTP_STATUSES);
  const length = random.happens(0.2) ? null : random.between(10, 30_000_000);
  const values = [isOrphan ? null : run.id, '/products.json', status, length];
  await client.query('select rpc_record_artifact($1, $2, $3, $4)', values);
  draft.rows++;
  countArtifact(draft, isOrphan ? NO_SOURCE : run.labels, { status, length });
}

async function recordBulkArtifacts({ client, draft, random, own, phase }: Work): Promise<void> {
  const rows = random.between(...BULK_ROWS);
  const { labels } = own.source;
  const id = await returned(client, 'select rpc_scrape_run_start($1) as id', [own.source.id]);
  draft.count('scrape_runs_started_total', labels);
  await client.query(
    `insert into scrape_artifacts (run_id, url, http_status, body_len)
     select $1, '/page', 200, n from generate_series(1, $2::int) n`,
    [id, rows],
  );
  draft.rows += rows + 1;
  for (let n = 1; n <= rows; n++) countArtifact(draft, labels, { status: 200, length: n });
  draft.afterwards(() => own.openRuns.push({ id, labels, phase }));
}

function countArtifact(
  draft: Draft,
  labels: Labels,
  { status, length }: { status: number | null; length: number | null },
): void {
  const httpStatus = status === 418 ? 'other' : (status ?? 'none');
  draft.count('scrape_artifacts_recorded_total', { ...labels, http_status: String(httpStatus) });
  if (length !== null) draft.observe('scrape_artifact_body_bytes', labels, length);
}

/** Some runs are updated before, with an end time but without a status. */
async function finishRun(work: Work): Promise<void> {
  const { client, draft, random, own } = work;
  if (own.openRuns.length === 0) return;
  const run = random.pick(own.openRuns);
  if (!draft.claim(run.id)) return;
  if (random.happens(0.1)) {
    await client.query('update scrape_runs set finished_at = now() where id = $1 and status is null', [run.id]);
    draft.rows++;
    return;
  }
  await finish(work, run);
  draft.afterwards(() => own.openRuns.splice(own.openRuns.indexOf(run), 1));
}

async function finish({ client, draft, random, own, phase }: Work, run: Run): Promise<void> {
  const status = random.pick(STATUSES);
  await client.query('select rpc_scrape_run_finish($1, $2, $3)', [run.id, { job_type: 'full' }, status]);
  const text = 'select extract(epoch from finished_at - started_at)::float8 as id from scrape_runs where id = $1';
  const seconds = Number(await returned(client, text, [run.id]));
  draft.rows++;
  draft.count('scrape_runs_finished_total', { ...run.labels, status });
  draft.observe('scrape_run_duration_seconds', { ...run.labels, status }, seconds);
  draft.afterwards(() => own.finishedRuns.push({ ...run, phase }));
}

const REWRITES = [
  "status = 'fail'",
  "finished_at = finished_at + interval '1 second'",
  'finished_at = null, status = null',
];

/** A finished run is written to again; one that was counted may even change its outcome, or seem to run once more. */
async function touchFinishedRun({ client, draft, random, own, phase }: Work): Promise<void> {
  if (own.finishedRuns.length === 0) return;
  const run = random.pick(own.finishedRuns);
  const changes = run.phase < phase ? ['stats_json = null', ...REWRITES] : ['stats_json = null'];
  await client.query(`update scrape_runs set ${random.pick(changes)} where id = $1`, [run.id]);
  draft.rows++;
}

async function upsertCoffee(work: Work): Promise<void> {
  const { random, own, draft } = work;
  if (random.happens(0.3)) {
    await createCoffee(work);
  } else {
    await upsert(work, random.pick(own.coffees).slug);
    draft.rows++;
  }
}

async function createCoffee(work: Work): Promise<string> {
  const { own, draft } = work;
  const slug = crypto.randomUUID();
  const id = await upsert(work, slug);
  draft.rows++;
  draft.count('coffees_created_total', own.source.labels);
  draft.afterwards(() => own.coffees.push({ id, slug }));
  return id;
}

async function upsert({ client, own }: Work, slug: string): Promise<string> {
  const text = `select rpc_upsert_coffee($1, $2, 'A coffee', true, 'ok', null, 'a', 'b') as id`;
  return await returned(client, text, [own.source.roasterId, slug]);
}

async function upsertVariant(work: Work): Promise<void> {
  const { client, random, own, draft } = work;
  const coffee = random.pick(own.coffees);
  if (random.happens(0.3)) {
    await createVariant(work, coffee.id, { clock: 'server', isBulk: false });
  } else {
    await client.query('update variants set in_stock = not in_stock where coffee_id = $1', [coffee.id]);
    draft.rows++;
  }
}

async function createVariant(
  { client, random, own, draft }: Work,
  coffeeId: string,
  habits: Pick<Variant, 'clock' | 'isBulk'>,
): Promise<void> {
  const currency = random.pick(['INR', 'USD']);
  const text = 'select rpc_upsert_variant($1, $2, $3, null, true, 1, 250, null) as id';
  const id = await returned(client, text, [coffeeId, crypto.randomUUID(), currency]);
  draft.rows++;
  draft.count('variants_created_total', own.source.labels);
  draft.afterwards(() => own.variants.push({ id, currency, ...habits, clockMs: 0, price: undefined }));
}

async function returned(client: Client, text: string, values: readonly unknown[]): Promise<string> {
  const { rows } = await client.query<{ id: string }>(text, [...values]);
  return rows[0]?.id ?? '';
}
