import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import * as v from 'valibot';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Component } from '../../../../src/engine/component.ts';
import { RetryableError } from '../../../../src/engine/errors.ts';
import { MemoryStorage } from '../../../../src/engine/memory-storage.ts';
import { StorageError, type Storage, type StorageSpace } from '../../../../src/engine/storage.ts';
import { fileStorageConfig } from '../../../../src/components/extensions/file-storage/config.ts';
import { fileStorageExtension } from '../../../../src/components/extensions/file-storage/factory.ts';
import { componentSettings } from '../../../support/components/component-settings.ts';
import { hostWith } from '../../../support/components/host-with.ts';
import { startTestPostgres, type TestPostgres } from '../../../support/postgres/test-postgres.ts';
import { waitFor } from '../../../support/wait-for.ts';
import { ReceiverUnderTest } from './receiver-under-test.ts';

const audit = {
  name: 'audit',
  sql: 'select id, actor, what from audit where id > $1::bigint order by id desc',
  tracking_column: 'id',
  tracking_start_value: '0',
  logs: [{ body_column: 'what', attribute_columns: ['actor'] }],
};

describe('sqlquery, logs', () => {
  let database: TestPostgres;
  let datasource: string;
  beforeAll(async () => {
    database = await startTestPostgres({ schema: false });
    datasource = `${database.url}?sslmode=disable`;
  });
  afterAll(() => database[Symbol.asyncDispose]());
  beforeEach(async () => {
    await database.sql(`drop table if exists audit;
      create table audit (id bigint generated always as identity, at timestamptz(6), actor text, what text)`);
  });

  const start = (queries: unknown[], options: Parameters<typeof ReceiverUnderTest.start>[1] = {}, config = {}) =>
    ReceiverUnderTest.start({ datasource, queries, ...config }, options);
  const write = (...what: string[]): Promise<unknown> =>
    database.sql(`insert into audit (at, actor, what) select clock_timestamp(), 'ada', unnest($1::text[])`, [what]);

  it('makes a record of each row, once, in the order of the tracking column', async () => {
    await write('a', 'b', 'c');
    await using receiver = await start([audit]);
    await bodies(receiver, ['a', 'b', 'c']);
    await write('d');
    await bodies(receiver, ['a', 'b', 'c', 'd']);
    const scope = {
      name: 'github.com/open-telemetry/opentelemetry-collector-contrib/receiver/sqlqueryreceiver',
      version: '1.2.3',
    };
    const record = {
      body: { string_value: 'd' },
      attributes: [{ key: 'actor', value: { string_value: 'ada' } }],
      observed_time_unix_nano: expect.stringMatching(/^\d{19}$/) as string,
    };
    expect(receiver.requests.at(-1)).toEqual({
      resource_logs: [{ resource: {}, scope_logs: [{ scope, log_records: [record] }] }],
    });
    expect(await receiver.own('errors{query="audit",reason="storage"}')).toBeUndefined();
  });

  it('reads everything at each poll without a tracking column', async () => {
    await write('a');
    await using receiver = await start([{ sql: 'select what from audit', logs: [{ body_column: 'what' }] }]);
    await waitFor(() => receiver.bodies.length > 2, { what: 'the same row again' });
    expect(new Set(receiver.bodies)).toEqual(new Set(['a']));
  });

  it('tracks times to the microsecond', async () => {
    await database.sql(`insert into audit (at, what) values ('2026-01-01 00:00:00.000001Z', 'a'), ('2026-01-01 00:00:00.000002Z', 'b')`); // prettier-ignore
    const sql = 'select at, what from audit where at > $1::timestamptz';
    await using receiver = await start([{ ...audit, sql, tracking_column: 'at', tracking_start_value: '2025-01-01', logs: [{ body_column: 'what' }] }]); // prettier-ignore
    await bodies(receiver, ['a', 'b']);
    await database.sql(`insert into audit (at, what) values ('2026-01-01 00:00:00.000003Z', 'c')`);
    await bodies(receiver, ['a', 'b', 'c']);
  });

  it('reads a table that is larger than a batch, and loses no row of those with the same value', async () => {
    await database.sql(`insert into audit (at, what) select '2026-01-01Z'::timestamptz + (n / 3000) * interval '1s', n::text from generate_series(0, 11999) n`); // prettier-ignore
    const sql = 'select at, what from audit where at > $1::timestamptz';
    await using receiver = await start([{ ...audit, sql, tracking_column: 'at', tracking_start_value: '2025-01-01', logs: [{ body_column: 'what' }] }]); // prettier-ignore
    await waitFor(() => receiver.bodies.length >= 12_000, { what: 'every row' });
    expect(new Set(receiver.bodies).size).toBe(12_000);
    expect(receiver.bodies).toHaveLength(12_000);
    expect(receiver.requests).toHaveLength(4);
  });

  it('reports more rows than a batch with one value, and does not invent an order', async () => {
    await database.sql(`insert into audit (at, what) select '2026-01-01Z', n::text from generate_series(0, 5000) n`);
    const sql = 'select at, what from audit where at > $1::timestamptz';
    await using receiver = await start([{ ...audit, sql, tracking_column: 'at', tracking_start_value: '2025-01-01', logs: [{ body_column: 'what' }] }]); // prettier-ignore
    await waitFor(async () => (await receiver.own('errors{query="audit",reason="too_many_rows"}')) === 1, { what: 'the error' }); // prettier-ignore
    expect(receiver.bodies).toEqual([]);
  });

  it('gives no record for NULL and no attribute for NULL, and reads on behind such rows', async () => {
    await database.sql(`insert into audit (actor, what) values ('ada', null), (null, 'b')`);
    await using receiver = await start([audit]);
    await bodies(receiver, ['b']);
    await write('c');
    await bodies(receiver, ['b', 'c']);
    expect(await receiver.own('dropped_log_records{query="audit",reason="null"}')).toBe(1);
    expect(receiver.said('Some rows yield no log record')).toBe(1);
  });

  it('hands the rows over again when the pipeline refused them', async () => {
    let refuses = true;
    const pipeline = {
      consume: async () => {
        if (refuses) throw new RetryableError('memory_limit', 'memory is above its limit');
      },
    };
    await write('a', 'b');
    await using receiver = await start([audit], { pipeline });
    await waitFor(async () => ((await receiver.own('errors{query="audit",reason="pipeline_refused"}')) ?? 0) > 1, { what: 'refusals' }); // prettier-ignore
    refuses = false;
    await bodies(receiver, ['a', 'b']);
  });

  it('continues after a restart from the position in its storage', async () => {
    const directory = await mkdtemp(path.join(tmpdir(), 'siphon-sqlquery-'));
    try {
      await write('a', 'b');
      for (const expected of [['a', 'b'], ['c']]) {
        const storage = fileStorageExtension.create(
          componentSettings('extension', 'file_storage').settings,
          v.parse(fileStorageConfig, { directory }),
        );
        await storage.start(hostWith());
        const receiver = await start([audit], { extensions: { file_storage: storage } }, { storage: 'file_storage' });
        await bodies(receiver, expected);
        await receiver[Symbol.asyncDispose]();
        await storage.shutdown(AbortSignal.timeout(1000));
        await write('c');
      }
    } finally {
      await rm(directory, { recursive: true });
    }
  });

  it('continues from memory while its storage fails, and stores its position when it can', async () => {
    const storage = new FailingStorage();
    await using receiver = await start([audit], { extensions: { kept: storage } }, { storage: 'kept' });
    storage.fails = true;
    await write('a');
    await waitFor(() => receiver.bodies.length === 1, { what: 'the first' });
    await waitFor(async () => ((await receiver.own('errors{query="audit",reason="storage"}')) ?? 0) > 1, { what: 'two errors' }); // prettier-ignore
    await write('b');
    await waitFor(() => receiver.bodies.length === 2, { what: 'the second' });
    storage.fails = false;
    await waitFor(() => storage.written > 0, { what: 'the place in the storage' });
    expect(receiver.bodies).toEqual(['a', 'b']);
  });

  it('does not start if its storage is not running', async () => {
    await expect(start([audit], {}, { storage: 'file_storage' })).rejects.toThrow('file_storage is not running');
  });
});

/** Waits until these and no others have come, and two further polls have brought nothing more. */
async function bodies(receiver: ReceiverUnderTest, expected: readonly string[]): Promise<void> {
  await waitFor(() => receiver.bodies.length >= expected.length, { what: `${expected.length} records` });
  const before = await polls(receiver);
  await waitFor(async () => (await polls(receiver)) >= before + 2, { what: 'two further polls' });
  expect(receiver.bodies).toEqual(expected);
}

async function polls(receiver: ReceiverUnderTest): Promise<number> {
  const succeeded = await receiver.own('query_duration_seconds_count{query="audit"}');
  const failed = await receiver.own('errors{query="audit",reason="storage"}');
  return (succeeded ?? 0) + (failed ?? 0);
}

class FailingStorage implements Component, Storage {
  fails = false;
  written = 0;
  readonly #kept = new MemoryStorage();

  async start(): Promise<void> {}
  async shutdown(): Promise<void> {}

  async space(owner: Parameters<Storage['space']>[0]): Promise<StorageSpace> {
    const space = await this.#kept.space(owner);
    return {
      get: (keys) => space.get(keys),
      clear: (prefix) => space.clear(prefix),
      write: async (changes) => {
        if (this.fails) throw new StorageError('full', 'there is no room');
        await space.write(changes);
        this.written++;
      },
    };
  }
}
