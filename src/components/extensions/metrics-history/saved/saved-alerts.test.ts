import { expect, it, test } from 'vitest';
import { RuledHistory } from '../../../../../tests/support/history/ruled-history.ts';
import { MemoryStorage } from '../../../../engine/memory-storage.ts';
import { decodeStored, encodeStored } from '../../../../engine/stored-value.ts';

const RULES = `
groups:
  - name: rooms
    rules:
      - {alert: High, expr: level >= 3}
      - {alert: High, expr: level >= 2, labels: {severity: info}}
`;
const OWNER = { kind: 'extension', id: 'metrics_history' };

interface Saved {
  atMs: number;
  format: number;
}

async function spaceOf(storage: MemoryStorage) {
  const space = await storage.space(OWNER);
  const read = async (): Promise<Saved> => decodeStored((await space.get(['alerts'])).get('alerts')!) as Saved;
  const write = async (bytes: Uint8Array): Promise<void> => await space.write(new Map([['alerts', bytes]]));
  return { read, write };
}

async function alertsOf(history: RuledHistory): Promise<readonly { readonly activeAt: string }[]> {
  return ((await history.ask('alerts')) as { readonly alerts: readonly { readonly activeAt: string }[] }).alerts;
}

/** Runs until alerts fire, and ends. */
async function firstProcess(storage: MemoryStorage) {
  await using history = await RuledHistory.start(RULES, { storage });
  await expect.poll(() => alertsOf(history), { timeout: 10_000 }).toHaveLength(3);
  return await alertsOf(history);
}

it('continues alerts that fire, with their time, while their series are missing', async () => {
  const storage = new MemoryStorage();
  const before = await firstProcess(storage);
  await using history = await RuledHistory.start(RULES, { storage, levels: {}, lookback: '3s' });
  await new Promise((resolve) => setTimeout(resolve, 1500));
  expect(await alertsOf(history)).toEqual(before);
  await expect.poll(() => alertsOf(history), { timeout: 10_000 }).toEqual([]);
});

it('begins again after more than an hour', async () => {
  const storage = new MemoryStorage();
  await firstProcess(storage);
  const { read, write } = await spaceOf(storage);
  const saved = await read();
  await write(encodeStored({ ...saved, atMs: saved.atMs - 3_600_001 }));
  await using history = await RuledHistory.start(RULES, { storage, levels: {} });
  expect(await alertsOf(history)).toEqual([]);
});

test.each([
  ['of another version', encodeStored({ format: 99 }), 'its format is 99, and this version reads 1'],
  ['of another program', encodeStored({ format: 1, atMs: 0, states: 7 }), 'Expected Map but received 7'],
  ['that were changed', encodeStored({ format: 1 }).fill(0, 8, 9), 'its bytes have changed'],
])('begins without states %s, with one line', async (_, bytes, cause) => {
  const storage = new MemoryStorage();
  const { write } = await spaceOf(storage);
  await write(bytes);
  await using history = await RuledHistory.start(RULES, { storage });
  const warnings = history.lines.filter(({ level }) => Number(level) >= 40);
  expect(warnings).toMatchObject([
    {
      cause: expect.stringContaining(cause) as string,
      msg: 'The states of alerts from before the restart cannot be read: alerts begin again',
    },
  ]);
  await expect.poll(() => alertsOf(history), { timeout: 10_000 }).toHaveLength(3);
});

it('reports once that states cannot be saved', async () => {
  const storage = new MemoryStorage();
  await using history = await RuledHistory.start(RULES, { storage });
  storage.close();
  const failing = 'The states of alerts cannot be saved: a restart would begin without them';
  await expect.poll(() => history.lines.filter(({ msg }) => msg === failing), { timeout: 10_000 }).toHaveLength(1);
  await new Promise((resolve) => setTimeout(resolve, 2500));
  expect(history.lines.filter(({ msg }) => msg === failing)).toHaveLength(1);
});
