import { expect, it } from 'vitest';
import { startStore, type RunningStore } from '../../../../../tests/support/components/running-store.ts';
import { batchOfLogs } from '../../../../../tests/support/otlp/otlp-logs.ts';
import { batchOfSpans, spanId, TRACE_ID, type SpanDraft } from '../../../../../tests/support/otlp/otlp-spans.ts';
import { longestStallMs } from '../../../../../tests/support/shapes/longest-stall.ts';
import { slowdown } from '../../../../../tests/support/slowdown.ts';
import {
  backendAttributes,
  LOCK_WAIT_EVENT,
  lockWaitAttributes as names,
} from '../../../../metrics/postgres-sessions.ts';

const START_MS = 1_800_000_000_000;
const [WAITER, BLOCKER] = [100, 101];
/** The client of the test reads answers of 4 MB in the same thread. */
const MAX_STALL_MS = 40;
/** Other programs slow down the CPU, so that its time is not exact. */
const ATTEMPTS = 10;

/** The request of a sender is this large at most. */
const A_REQUEST = 1000;

it('is not stopped by a trace of many statements', { timeout: 120_000 }, async () => {
  await using running = await startStore();
  await sendStatements(running, 10_000, { pid: WAITER });
  await sendWaits(running, 1, { waiter: WAITER, blocker: BLOCKER });
  expect(await leastStallOf(running)).toBeLessThan(MAX_STALL_MS);
});

it('finds a transaction among thousands that overlap', { timeout: 120_000 }, async () => {
  await using running = await startStore();
  await sendStatements(running, 1, { pid: WAITER });
  await sendStatements(running, 10_000, { pid: BLOCKER, traceId: 'b'.repeat(32), inTransactions: true });
  await sendWaits(running, 20, { waiter: WAITER, blocker: BLOCKER });
  expect((await running.ask(`/api/traces/${TRACE_ID}`)).body.lockWaits).toHaveLength(20);
  expect(await leastStallOf(running)).toBeLessThan(MAX_STALL_MS);
});

it('describes few of very many sessions that a session waits for', async () => {
  await using running = await startStore();
  await sendStatements(running, 1, { pid: WAITER });
  await sendWaits(running, 3, { waiter: WAITER, blocker: BLOCKER });
  await sendWaits(running, 3000, { waiter: BLOCKER, blocker: 102 });
  const { lockWaits } = (await running.ask(`/api/traces/${TRACE_ID}`)).body;
  expect(lockWaits).toHaveLength(3);
  for (const { blocker } of lockWaits) expect(blocker.waitsFor).toHaveLength(15);
});

interface Statements {
  readonly pid: number;
  readonly traceId?: string;
  /** True if each statement is in a transaction of its own that does not end. */
  readonly inTransactions?: boolean;
}

/** Statements at the same time. The server cannot run them so, but a sender can write it. */
async function sendStatements({ store }: RunningStore, count: number, { pid, ...more }: Statements): Promise<void> {
  const statement = (i: number): SpanDraft => ({
    traceId: more.traceId ?? TRACE_ID,
    spanId: spanId(i + 1),
    name: 'SELECT',
    kind: 'client',
    startTimeUnixNano: BigInt(START_MS + 1000) * 1_000_000n,
    durationNano: 4_000_000_000n,
    attributes: {
      [backendAttributes.pid]: pid,
      // Only the connection of the first one fits the waits.
      [backendAttributes.connected]: interval(-10_000 - (more.inTransactions === true ? 0 : i * 1000), 10),
      ...(more.inTransactions === true && { [backendAttributes.transactionBegan]: interval(1000, i) }),
    },
  });
  await inRequests(count, async (numbers) => await store.consume(batchOfSpans(numbers.map(statement))));
}

async function sendWaits(
  { store }: RunningStore,
  count: number,
  { waiter, blocker }: { readonly waiter: number; readonly blocker: number },
): Promise<void> {
  const attributes = {
    [names.lock]: 'transactionid',
    [names.since]: START_MS + 1010,
    [names.until]: START_MS + 4210,
    [names.uncertainty]: 0.5,
    [names.waiterPid]: waiter,
    [names.waiterStart]: START_MS - 9995,
    [names.waiterTransaction]: START_MS + 1001.5,
    [names.waiterStatement]: START_MS + 1001.5,
    [names.blockerPid]: blocker,
    [names.blockerStart]: START_MS - 9995,
    [names.blockerTransaction]: START_MS + 1001.5,
  };
  const record = (i: number) => ({
    body: 'waits',
    eventName: LOCK_WAIT_EVENT,
    attributes: { ...attributes, [names.id]: `${waiter} ${i}` },
  });
  await inRequests(count, async (numbers) => await store.consume(batchOfLogs(numbers.map(record))));
}

async function inRequests(count: number, send: (numbers: readonly number[]) => Promise<unknown>): Promise<void> {
  for (let first = 0; first < count; first += A_REQUEST) {
    await send(Array.from({ length: Math.min(A_REQUEST, count - first) }, (_, i) => first + i));
  }
}

/** As in ISO 8601. */
function interval(fromMs: number, lengthMs: number): string {
  return [fromMs, fromMs + lengthMs].map((ms) => new Date(START_MS + ms).toISOString()).join('/');
}

/** The stall on an idle machine. */
async function leastStallOf({ ask }: RunningStore): Promise<number> {
  let leastMs = Infinity;
  for (let attempt = 0; attempt < ATTEMPTS && leastMs >= MAX_STALL_MS; attempt++) {
    const before = slowdown();
    const stallMs = await longestStallMs(async () => void (await ask(`/api/traces/${TRACE_ID}`)));
    leastMs = Math.min(leastMs, stallMs / Math.max(before, slowdown()));
  }
  return leastMs;
}
