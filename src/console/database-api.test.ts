import { expect, it } from 'vitest';
import { DatabaseApi } from './database-api.ts';
import type { DatabaseState } from './database-state.ts';

/** The text of the page, where expressions with these parts have a value. */
async function state(values: Readonly<Record<string, number>>): Promise<DatabaseState> {
  const api = new DatabaseApi(async (path, parameters) => {
    if (path === '/api/lock-waits') return { status: 200, body: '{"lockWaits":[],"left":0}' };
    const query = parameters.get('query') ?? '';
    const [, value] = Object.entries(values).find(([part]) => query.includes(part)) ?? [];
    const metric = { instance: 'shop', receiver: 'db_poller' };
    const result = value === undefined ? [] : [{ metric, value: [0, String(value)] }];
    return { status: 200, body: JSON.stringify({ status: 'success', data: { resultType: 'vector', result } }) };
  });
  const { body } = await api.answer('', new URLSearchParams(), () => true);
  return JSON.parse(body) as DatabaseState;
}

it('shows the age of the sessions, and why a number is missing', async () => {
  const used = { connections_used: 3, 'database_connections{': 2, database_locks: 0, longest: 1 };
  const { tables: whole } = await state({ ...used, success_age: 12 });
  expect(whole.find(({ title }) => title === 'Sessions')).toMatchObject({ readS: 12, lines: [{ labels: ['shop'] }] });
  expect(whole.find(({ title }) => title === 'Sessions')).not.toHaveProperty('gap');
  const { tables: hidden } = await state({ 'database_connections{': 2 });
  expect(hidden.find(({ title }) => title === 'Sessions')?.gap).toContain('grant pg_read_all_stats');
});

it('distinguishes a poller on standby from one that does not reach its database', async () => {
  expect((await state({ siphon_db_poller_leader: 1 })).missing).toEqual([]);
  expect((await state({ siphon_db_poller_leader: 0 })).missing).toEqual([
    'db_poller is on standby: another sidecar polls its database',
  ]);
  expect((await state({ siphon_db_poller_leader: 0, leader_election: 2 })).missing).toEqual([
    'db_poller does not reach its database: siphon doctor names the cause',
  ]);
});
