import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { serialize } from 'node:v8';
import { crc32 } from 'node:zlib';
import * as v from 'valibot';
import { expect, it } from 'vitest';
import { componentSettings } from '../../../../../tests/support/components/component-settings.ts';
import { hostWith } from '../../../../../tests/support/components/host-with.ts';
import { batchOfExemplar, startStore } from '../../../../../tests/support/components/running-store.ts';
import { batchOfLogs } from '../../../../../tests/support/otlp/otlp-logs.ts';
import { batchOfSpans, spanId, TRACE_ID, type SpanDraft } from '../../../../../tests/support/otlp/otlp-spans.ts';
import { fileStorageConfig } from '../../../extensions/file-storage/config.ts';
import { fileStorageExtension } from '../../../extensions/file-storage/factory.ts';
import type { FileStorage, StorageSpace } from '../../../../engine/storage.ts';

/** The extension, in a directory of its own, as each process opens it. */
async function newStorage() {
  const directory = await mkdtemp(join(tmpdir(), 'stored-telemetry-'));
  return async (): Promise<FileStorage & AsyncDisposable> => {
    const { settings } = componentSettings('extension', 'file_storage');
    const extension = fileStorageExtension.create(settings, v.parse(fileStorageConfig, { directory }));
    await extension.start(hostWith());
    const stop = async (): Promise<void> => await extension.shutdown(AbortSignal.timeout(1000));
    return Object.assign(extension as unknown as FileStorage, { [Symbol.asyncDispose]: stop });
  };
}

const OWNER = { kind: 'exporter', id: 'telemetry_store' };
const STORED = { storage: 'file_storage' };

const spans = (first: number, count: number): SpanDraft[] =>
  Array.from({ length: count }, (_, index) => ({
    traceId: (first + index + 1).toString(16).padStart(32, '0'),
    spanId: spanId(first + index + 1),
    name: `GET /orders/${index}`,
    ...(index % 10 === 0 && { statusMessage: 'broken' }),
    attributes: { order: `order-${first + index}` },
  }));

it('has the same spans, records, exemplars and classes after a restart', async () => {
  const open = await newStorage();
  const queries = [
    '/api/traces?status=error&limit=1000',
    '/api/traces?attribute=order=order-77',
    `/api/traces/${TRACE_ID}`,
    '/api/logs',
    '/api/exemplars?metric=orders',
  ];
  const answers: unknown[] = [];
  {
    await using storage = await open();
    await using first = await startStore(STORED, { file_storage: storage });
    await first.store.consume(batchOfSpans([{ spanId: spanId(1), name: 'root', statusMessage: 'late' }]));
    for (let at = 0; at < 20_000; at += 500) await first.store.consume(batchOfSpans(spans(at, 500)));
    await first.store.consume(batchOfLogs([{ body: 'line', traceId: TRACE_ID, spanId: spanId(1) }]));
    await first.store.consume(batchOfExemplar('orders', TRACE_ID, spanId(1)));
    for (const query of queries) answers.push(without((await first.ask(query)).body));
  }
  await using storage = await open();
  await using second = await startStore(STORED, { file_storage: storage });
  await second.hasLogged('The telemetry from before the restart is available');
  for (const [i, query] of queries.entries())
    expect(without((await second.ask(query)).body), query).toEqual(answers[i]);
  // New telemetry follows behind it.
  const before = (await second.ask('/api/traces')).body.next as number;
  await second.store.consume(batchOfSpans(spans(50_000, 3)));
  expect((await second.ask(`/api/traces?after=${before}`)).body.traces).toHaveLength(3);
});

/** Positions count what has arrived in this process. */
function without(answer: object): object {
  return { ...answer, next: undefined };
}

it('takes as much as there is room for, the newest first', async () => {
  const open = await newStorage();
  {
    await using storage = await open();
    await using first = await startStore({ ...STORED, max_size_mib: 64 }, { file_storage: storage });
    for (let at = 0; at < 60_000; at += 500) await first.store.consume(batchOfSpans(spans(at, 500)));
  }
  await using storage = await open();
  await using second = await startStore({ ...STORED, max_size_mib: 4 }, { file_storage: storage });
  await second.hasLogged('The telemetry from before the restart is available');
  const sizeBytes = Number(/siphon_store_size_bytes\{.*\} (\d+)/.exec(await second.page())?.[1]);
  expect(sizeBytes).toBeGreaterThan(2 * 1024 * 1024);
  expect(sizeBytes).toBeLessThanOrEqual(4 * 1024 * 1024);
  const holds = async (number: number): Promise<boolean> =>
    (await second.ask(`/api/traces?attribute=order=order-${number}`)).body.traces.length === 1;
  expect([await holds(0), await holds(59_999)]).toEqual([false, true]);
});

/** The format in which the store writes. */
function written(index: object): Buffer {
  const bytes = serialize(index);
  const checksum = Buffer.alloc(4);
  checksum.writeUInt32LE(crc32(bytes));
  return Buffer.concat([checksum, bytes]);
}

it.each([
  ['one is damaged', damage, '1', 'its bytes have changed'],
  ['one is missing', remove, '1', 'a part is missing'],
  ['two have changed places', swap, '2', 'its bytes have changed'],
])('restores the other parts if %s, and reports how many', async (_, change, damaged, cause) => {
  const open = await newStorage();
  {
    await using storage = await open();
    await using first = await startStore(STORED, { file_storage: storage });
    for (let at = 0; at < 20_000; at += 500) await first.store.consume(batchOfSpans(spans(at, 500)));
  }
  await using storage = await open();
  await change(await storage.space(OWNER));
  await using second = await startStore(STORED, { file_storage: storage });
  const line = await second.hasLogged(
    'The telemetry from before the restart is available, without the parts that cannot be read',
  );
  expect(line).toMatchObject({
    cause,
    missing: expect.stringMatching(new RegExp(`^${damaged} of \\d+ parts$`)) as string,
  });
  const { traces } = (await second.ask('/api/traces?attribute=order=order-19999')).body;
  expect(traces).toHaveLength(1);
});

async function damage(space: StorageSpace): Promise<void> {
  const bytes = Buffer.from(await partIn(space, 0));
  await space.write(new Map([['segment 0', bytes.fill(7, 100, 110)]]));
}

async function remove(space: StorageSpace): Promise<void> {
  await space.write(new Map([['segment 0', undefined]]));
}

async function swap(space: StorageSpace): Promise<void> {
  const [first, second] = [await partIn(space, 0), await partIn(space, 1)];
  await space.write(
    new Map([
      ['segment 0', second],
      ['segment 1', first],
    ]),
  );
}

async function partIn(space: StorageSpace, number: number): Promise<Uint8Array> {
  const key = `segment ${number}`;
  const bytes = (await space.get([key])).get(key);
  if (bytes === undefined) throw new Error(`${key} does not exist`);
  return bytes;
}

it.each([
  ['of another version', written({ format: 99 }), 'its format is 99, and this version reads 2'],
  ['that was changed', written({ format: 2 }).fill(0, 8, 9), 'its bytes have changed'],
  ['that was cut', Buffer.from([1]), 'its bytes have changed'],
])('begins without an index %s, with one line', async (_, bytes, cause) => {
  const open = await newStorage();
  {
    await using storage = await open();
    await using first = await startStore(STORED, { file_storage: storage });
    await first.store.consume(batchOfSpans(spans(0, 10)));
  }
  await using storage = await open();
  await (await storage.space(OWNER)).write(new Map([['index', bytes]]));
  await using second = await startStore(STORED, { file_storage: storage });
  const line = await second.hasLogged(
    'The telemetry from before the restart cannot be read: the store begins without it',
  );
  expect(line).toMatchObject({ cause });
  expect((await second.ask('/api/traces')).body.traces).toEqual([]);
});

it('ends before the deadline, and then begins without what it had', async () => {
  const open = await newStorage();
  {
    await using storage = await open();
    await using first = await startStore(STORED, { file_storage: storage });
    await first.store.consume(batchOfSpans(spans(0, 10)));
    await first.store.shutdown(AbortSignal.abort());
    await first.hasLogged('There was no time to save the telemetry of the store: it will begin without it');
  }
  await using storage = await open();
  await using second = await startStore(STORED, { file_storage: storage });
  await second.hasLogged('The telemetry from before the restart is available');
  expect((await second.ask('/api/traces')).body.traces).toEqual([]);
});
