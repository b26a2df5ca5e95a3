import { chmod, chown, link, mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { RetryableError } from '../../../../src/engine/errors.ts';
import { lostRequestsName, spoolFileName, type SpoolFile } from '../../../../src/engine/otlp/spool-file.ts';
import { spool } from '../../../../src/sdk/spool.ts';
import { gaugesRequest } from '../../../support/otlp/gauges-request.ts';
import { ReceiverUnderTest } from './receiver-under-test.ts';

let parent: string;
let directory: string;
beforeEach(async () => {
  parent = await mkdtemp(path.join(tmpdir(), 'siphon-spool-test-'));
  directory = path.join(parent, 'spool');
  await mkdir(directory, { mode: 0o700 });
});
afterEach(async () => {
  await rm(parent, { recursive: true, force: true });
});

const body = gaugesRequest({ names: ['orders'] });

/** Starts on a free port, with files for this port already there. */
async function started(files: (port: number) => Promise<void>, http: Record<string, unknown> = {}) {
  await using first = await ReceiverUnderTest.start({ http: { spool_directory: 'none' } });
  const port = Number(new URL(first.httpUrl).port);
  await first[Symbol.asyncDispose]();
  await files(port);
  return await ReceiverUnderTest.start({
    http: { endpoint: `127.0.0.1:${port}`, spool_directory: directory, ...http },
  });
}

async function put(port: number, content: Uint8Array, of: Partial<SpoolFile> = {}): Promise<string> {
  const file = { signal: 'metrics', writtenAtMs: Date.now(), id: crypto.randomUUID(), state: 'otlp', ...of } as const;
  const name = path.join(directory, spoolFileName({ port, ...file }));
  await writeFile(name, content, { mode: 0o600 });
  return name;
}

const names = async (): Promise<string[]> => await readdir(directory);

it('accepts what services left, as if they had sent it, and deletes the files', async () => {
  await using receiver = await started(async (port) => {
    const url = `http://127.0.0.1:${port}/v1/metrics`;
    const environment = { SIPHON_SPOOL_DIRECTORY: directory };
    spool({ unsent: [{ url, signal: 'metrics', body }], unknown: [] }, environment, performance.now() + 60_000);
    await put(port, body, { state: 'taken' });
  });
  await expect.poll(() => receiver.batches, { timeout: 5000 }).toHaveLength(2);
  expect(receiver.batches.map(({ signal, chunks }) => [signal, Buffer.concat(chunks)])).toEqual([
    ['metrics', Buffer.from(body)],
    ['metrics', Buffer.from(body)],
  ]);
  await expect.poll(names).toEqual([]);
  expect(await receiver.counted('siphon_receiver_spool_files', 'outcome')).toMatchObject({ accepted: 2, lost: 0 });
});

it('leaves the files for other ports and those that are not complete', async () => {
  await using receiver = await started(async (port) => {
    await put(port + 1, body);
    await put(port, body, { state: 'part' });
    await put(port, body);
  });
  await expect.poll(() => receiver.batches, { timeout: 5000 }).toHaveLength(1);
  await expect.poll(names).toHaveLength(2);
});

it('deletes without reading what is too old or of the future, too large, malformed or somebody else’s, and counts it', async () => {
  const elsewhere = path.join(parent, 'elsewhere');
  await writeFile(elsewhere, body);
  await using receiver = await started(
    async (port) => {
      await put(port, body, { writtenAtMs: Date.now() - 6 * 60_000 });
      await put(port, body, { writtenAtMs: Date.now() + 6 * 60_000 });
      await put(port, Buffer.alloc(2000));
      await put(port, body.subarray(0, -1));
      await chmod(await put(port, body), 0o622);
      const [linked, alias] = [await put(port, body), await put(port, body)];
      await Promise.all([rm(linked), rm(alias)]);
      await symlink(elsewhere, linked);
      await link(elsewhere, alias);
      if (process.getuid?.() === 0) await chown(await put(port, body), 1, 1);
      await writeFile(path.join(directory, lostRequestsName(port)), '...');
    },
    { max_request_body_size: 1000 },
  );
  await expect.poll(names, { timeout: 5000 }).toEqual([]);
  expect(receiver.batches).toEqual([]);
  expect(await receiver.rejected()).toEqual({ 'http/malformed': 1, 'http/too_large': 1 });
  const untrusted = process.getuid?.() === 0 ? 4 : 3;
  const counted = await receiver.counted('siphon_receiver_spool_files', 'outcome');
  expect(counted).toEqual({ accepted: 0, rejected: 2, expired: 2, untrusted, lost: 3 });
});

it('reads the files next to a directory with the name of one, and next to many for other ports', async () => {
  await using receiver = await started(async (port) => {
    const now = Date.now();
    await put(port, body);
    const blocked = await put(port, body, { writtenAtMs: now - 1000 });
    await rm(blocked);
    await mkdir(blocked);
    for (let file = 0; file < 1100; file++) await put(1, body, { writtenAtMs: now - 2000 });
    await symlink('/etc/passwd', path.join(directory, lostRequestsName(port)));
  });
  await expect.poll(() => receiver.batches, { timeout: 10_000 }).toHaveLength(1);
  const counted = await receiver.counted('siphon_receiver_spool_files', 'outcome');
  expect(counted).toMatchObject({ accepted: 1, untrusted: 2, lost: 0 });
});

it('tries again what the pipelines cannot accept now', { timeout: 30_000 }, async () => {
  await using receiver = await started(async (port) => void (await put(port, body)));
  const { consume } = receiver;
  receiver.consume = async (batch) => {
    receiver.consume = consume;
    await Promise.reject(new RetryableError('memory_limit', `full: ${batch.itemCount}`));
  };
  await expect.poll(() => receiver.batches, { timeout: 20_000 }).toHaveLength(1);
  await expect.poll(names).toEqual([]);
});

it('reads nothing from a directory that others can write, and logs it', async () => {
  await using receiver = await started(async (port) => {
    await put(port, body);
    await chmod(directory, 0o777);
  });
  await expect
    .poll(() => receiver.log.lines.map(({ msg }) => msg), { timeout: 5000 })
    .toContain('The files that services leave cannot be read');
  expect(receiver.batches).toEqual([]);
});
