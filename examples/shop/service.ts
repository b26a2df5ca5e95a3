/**
 * The shop: a service that takes orders, charges them and stores both in PostgreSQL.
 *
 *     node --import siphon-otel/preload examples/shop/service.ts
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { trace } from '@opentelemetry/api';
import { Pool } from 'pg';
import { instruments, type LabelValues } from 'siphon-otel/instruments';
import { channels, providers, shopMetrics } from './metrics.ts';

type Channel = (typeof channels)[number];
type Provider = (typeof providers)[number];
type Outcome = LabelValues<typeof shopMetrics.shop_checkouts_total>['outcome'];

interface Checkout {
  readonly channel: Channel;
  readonly provider: Provider;
  readonly amount: number;
}

const STATUSES: Readonly<Record<Outcome, number>> = { paid: 201, declined: 402, invalid: 400, failed: 500 };
/** The fake payment provider declines larger amounts. */
const LIMIT = 500;
const PAYMENT_MS = 20;

const record = instruments(shopMetrics);
const pool = new Pool({ connectionString: process.env['DATABASE_URL'], application_name: 'shop' });
// The next query replaces an idle connection that broke.
pool.on('error', () => undefined);

const server = createServer((request, response) => void answer(request, response));
server.listen(Number(process.env['PORT'] ?? 3000), '127.0.0.1', () => {
  const { port } = server.address() as AddressInfo;
  process.stdout.write(`shop: listening on http://127.0.0.1:${port}\n`);
});
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    server.close(() => void pool.end());
    server.closeIdleConnections();
  });
}

/** `POST /orders` with a checkout as JSON. */
async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (request.method !== 'POST' || request.url !== '/orders') {
    request.resume();
    response.writeHead(404).end();
    return;
  }
  // The route of a framework is known without this line.
  trace.getActiveSpan()?.setAttribute('http.route', '/orders');
  const checkout = readCheckout(await json(request).catch(() => undefined));
  const outcome = checkout === undefined ? 'invalid' : await checkOut(checkout).catch(failed);
  record.shop_checkouts_total({ outcome });
  response.writeHead(STATUSES[outcome], { 'content-type': 'application/json' }).end(JSON.stringify({ outcome }));
}

/** The exception of the span becomes an error in Sentry. */
function failed(error: Error): Outcome {
  trace.getActiveSpan()?.recordException(error);
  process.stderr.write(`shop: a checkout failed: ${error.message}\n`);
  return 'failed';
}

async function checkOut({ channel, provider, amount }: Checkout): Promise<Outcome> {
  const inserted = await pool.query<{ id: string }>(
    'insert into orders (channel, amount) values ($1, $2) returning id',
    [channel, amount],
  );
  const isCaptured = await charge(provider, amount);
  await pool.query('insert into payments (order_id, provider, outcome, amount) values ($1, $2, $3, $4)', [
    inserted.rows[0]?.id,
    provider,
    isCaptured ? 'captured' : 'declined',
    amount,
  ]);
  return isCaptured ? 'paid' : 'declined';
}

async function charge(provider: Provider, amount: number): Promise<boolean> {
  const startedAt = performance.now();
  await sleep(PAYMENT_MS);
  record.shop_payment_duration_seconds({ provider }, (performance.now() - startedAt) / 1000);
  return amount <= LIMIT;
}

function readCheckout(body: unknown): Checkout | undefined {
  if (typeof body !== 'object' || body === null) return undefined;
  const { channel, provider, amount } = body as Readonly<Record<string, unknown>>;
  const isKnown = includes(channels, channel) && includes(providers, provider);
  return isKnown && typeof amount === 'number' && amount > 0 ? { channel, provider, amount } : undefined;
}

function includes<T>(values: readonly T[], value: unknown): value is T {
  return (values as readonly unknown[]).includes(value);
}
