import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { backendAttributes, LOCK_WAIT_EVENT, lockWaitAttributes as names } from '../../metrics/postgres-sessions.ts';
import { startStore, type RunningStore } from '../../../tests/support/components/running-store.ts';
import { batchOfLogs } from '../../../tests/support/otlp/otlp-logs.ts';
import { batchOfSpans, spanId, TRACE_ID } from '../../../tests/support/otlp/otlp-spans.ts';
import { fencedBlocks } from '../../../tests/support/documents/fenced-blocks.ts';
import { runCommand } from '../../../tests/support/processes/run-command.ts';

const START_MS = 1_800_000_000_000;
const HOLDER = 'b'.repeat(32);
const OTHER = 'c'.repeat(32);

/** Milliseconds after the start of the test's world. */
interface Statement {
  readonly id: number;
  readonly trace?: string;
  readonly pid?: number;
  readonly from: number;
  readonly to: number;
  readonly text?: string;
  /** When the connection was opened, by default long before. */
  readonly connected?: readonly [number, number];
  readonly began?: readonly [number, number];
  readonly isLast?: boolean;
  readonly service?: string;
}

const WAITER = 4711;
const BLOCKER = 4712;
const CONNECTED = [-10_000, -9990] as const;
/** The statement that waits, and the request around it. */
const waiting: Statement = { id: 2, pid: WAITER, from: 1000, to: 5230, text: 'update orders set status = $1' };
const held = { trace: HOLDER, pid: BLOCKER, began: [200, 202], service: 'shop-admin' } as const;

interface Blocker {
  readonly pid?: number;
  readonly start?: number;
  readonly transaction?: number;
  readonly prepared?: string;
  readonly type?: string;
}

async function show(
  statements: readonly Statement[],
  ...waits: readonly Record<string, string | number>[]
): Promise<string> {
  await using running = await startStore();
  await sendRoot(running, TRACE_ID, { name: 'PATCH /orders/:id', from: 990, to: 5240, service: 'shop' });
  await sendRoot(running, HOLDER, { name: 'POST /import', from: 100, to: 9000, service: 'shop-admin' });
  for (const one of statements) await running.store.consume(batchOf(one));
  await running.store.consume(
    batchOfLogs(
      waits.map((attributes) => ({ body: 'waits', eventName: LOCK_WAIT_EVENT, attributes })),
      'siphon',
    ),
  );
  const { printed } = await runCommand(['trace', TRACE_ID, '--url', running.url]);
  return printed;
}

async function sendRoot(
  { store }: RunningStore,
  traceId: string,
  { name, from, to, service }: { name: string; from: number; to: number; service: string },
): Promise<void> {
  const time = { startTimeUnixNano: nanos(from), durationNano: BigInt(to - from) * 1_000_000n };
  await store.consume(batchOfSpans([{ traceId, spanId: spanId(1), name, kind: 'server', ...time }], service));
}

function batchOf({ id, trace = TRACE_ID, pid, from, to, text = 'select 1', service = 'shop', ...rest }: Statement) {
  const { connected = CONNECTED, began, isLast } = rest;
  const attributes = {
    'db.system.name': 'postgresql',
    'db.query.text': text,
    ...(pid !== undefined && { [backendAttributes.pid]: pid, [backendAttributes.connected]: interval(connected) }),
    ...(pid === undefined && { [backendAttributes.pooled]: true }),
    ...(began !== undefined && { [backendAttributes.transactionBegan]: interval(began) }),
    ...(isLast === true && { [backendAttributes.transactionEnded]: true }),
  };
  const time = { startTimeUnixNano: nanos(from), durationNano: BigInt(to - from) * 1_000_000n };
  const name = `pg.query:${text.split(' ', 1)[0]!.toUpperCase()} shop`;
  const span = { traceId: trace, spanId: spanId(id), parentSpanId: spanId(1), name, kind: 'client', ...time } as const;
  return batchOfSpans([{ ...span, attributes }], service);
}

function wait({ pid, start = -9995, transaction, prepared, type = 'client backend' }: Blocker, more = {}) {
  return {
    [names.id]: `${pid} ${prepared}`,
    [names.lock]: 'transactionid',
    [names.since]: START_MS + 1010,
    [names.until]: START_MS + 4210,
    [names.endedBefore]: START_MS + 5210,
    [names.uncertainty]: 0.5,
    [names.waiterPid]: WAITER,
    [names.waiterStart]: START_MS - 9995,
    [names.waiterTransaction]: START_MS + 1001.5,
    [names.waiterStatement]: START_MS + 1001.5,
    ...(pid !== undefined && { [names.blockerPid]: pid, [names.blockerStart]: START_MS + start }),
    ...(transaction !== undefined && { [names.blockerTransaction]: START_MS + transaction }),
    ...(prepared !== undefined && { [names.blockerPrepared]: prepared }),
    ...(pid !== undefined && { [names.blockerState]: 'idle in transaction', [names.blockerType]: type }),
    [names.blockerName]: 'psql',
    [names.blockerQuery]: 'update stock set pieces = ?',
    ...more,
  };
}

function nanos(ms: number): bigint {
  return BigInt(START_MS + ms) * 1_000_000n;
}

function interval([from, to]: readonly [number, number]): string {
  return [from, to].map((ms) => new Date(START_MS + ms).toISOString()).join('/');
}

/** The lines about waits. Long lines are broken anywhere. */
function waitsIn(printed: string): string {
  const lines = printed
    .split('\n')
    .slice(4)
    .filter((line) => !line.includes('━'));
  return withoutSpaces(lines.join(''));
}

function withoutSpaces(text: string): string {
  return text.replaceAll(' ', '');
}

const blocking: readonly Statement[] = [
  { ...held, id: 3, from: 200, to: 202, text: 'begin' },
  { ...held, id: 4, from: 203, to: 210, text: 'update stock set pieces = pieces - $1' },
  // Another service had the connection before, and has it afterwards.
  { id: 5, trace: OTHER, pid: BLOCKER, from: 190, to: 198 },
  { ...held, id: 6, from: 5200, to: 5205, text: 'commit', isLast: true },
  { id: 7, trace: OTHER, pid: BLOCKER, from: 5206, to: 5300 },
];

it('names the trace whose transaction held the lock, as docs/correlation.md shows', async () => {
  const printed = await show([waiting, ...blocking], wait({ pid: BLOCKER, transaction: 200.7 }));
  const block = fencedBlocks(await readFile('docs/correlation.md', 'utf8')).find(({ text }) => text.includes('waited'));
  expect(printed).toBe(block?.text.trimEnd());
});

it('follows a chain of sessions, and a deadlock once', async () => {
  const ofBlocker = { [names.waiterPid]: BLOCKER, [names.waiterTransaction]: START_MS + 200.7 };
  const chain = wait({ pid: 4713 }, ofBlocker);
  const first = wait({ pid: BLOCKER, transaction: 200.7 });
  const chained = 'which waited for process 4713, psql, idle in transaction update stock set pieces = ?';
  expect(waitsIn(await show([waiting, ...blocking], first, chain))).toContain(withoutSpaces(chained));
  const deadlock = wait({ pid: WAITER, transaction: 1001.5 }, ofBlocker);
  const printed = waitsIn(await show([waiting, ...blocking], first, deadlock));
  expect(printed).toContain(withoutSpaces('which waited for shop PATCH /orders/:id trace 0af7651916cd43dd'));
  expect(printed.split('waitedfor')).toHaveLength(2);
});

it.each<[string, readonly Statement[], Blocker, string]>([
  [
    'a session without the preload',
    [],
    { pid: 99, transaction: 10 },
    'for process 99, psql, idle in transaction update stock set pieces = ?',
  ],
  [
    'autovacuum',
    [],
    { pid: 99, transaction: 10, type: 'autovacuum worker' },
    'for process 99, autovacuum worker, psql',
  ],
  ['a prepared transaction', [], { prepared: 'transfer-7' }, 'for a prepared transaction transfer-7'],
  ['a lock of a session', blocking, { pid: BLOCKER }, 'for process 4712, psql'],
  [
    'another backend with the process id',
    blocking,
    { pid: BLOCKER, start: 150, transaction: 200.7 },
    'for process 4712, psql',
  ],
  ['a transaction that is not in the store', blocking, { pid: BLOCKER, transaction: 150 }, 'for process 4712, psql'],
  ['a transaction that had ended', blocking.slice(2, 3), { pid: BLOCKER, transaction: 195 }, 'for process 4712, psql'],
  [
    'two transactions that the clocks do not separate',
    [
      { ...held, id: 3, from: 200, to: 201, began: [200, 201] },
      { ...held, id: 4, from: 200, to: 201, began: [200, 202], trace: OTHER },
    ],
    { pid: BLOCKER, transaction: 201 },
    'for process 4712, psql',
  ],
])('shows only what is known about %s', async (_, statements, blocker, shown) => {
  expect(waitsIn(await show([waiting, ...statements], wait(blocker)))).toContain(withoutSpaces(shown));
});

it('names the trace of the last statement if a transaction is left open on a connection of the pool', async () => {
  const next = { ...held, id: 8, trace: OTHER, from: 900, to: 905, text: 'values ($1)' };
  const printed = await show([waiting, ...blocking.slice(0, 2), next], wait({ pid: BLOCKER, transaction: 200.7 }));
  const shown = 'trace bbbbbbbbbbbbbbbb idle in transaction: values ($1) (in trace cccccccccccccccc)';
  expect(waitsIn(printed)).toContain(withoutSpaces(shown));
});

it('does not link a statement that did not run when the wait was seen', async () => {
  const others = [{ to: 4200 }, { from: 1010 }, { connected: [-9000, -8990] as const }];
  for (const other of others) {
    const statements = [{ ...waiting, ...other }, ...blocking];
    expect(waitsIn(await show(statements, wait({ pid: BLOCKER, transaction: 200.7 })))).toBe('');
  }
});

it('reports that a pooler hides the cause of a slow statement', async () => {
  const { pid: _, ...pooled } = waiting;
  const remark = 'whether it waited for a lock is not known: a pooler is between the service and the server';
  const wrong = wait({ pid: BLOCKER, transaction: 200.7 });
  expect(waitsIn(await show([pooled], wrong))).toBe(withoutSpaces(remark));
  expect(waitsIn(await show([{ ...pooled, to: 1500 }]))).toBe('');
});
