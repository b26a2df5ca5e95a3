import { expect, it } from 'vitest';
import { runSql, startTestPostgres } from '../../../support/postgres/test-postgres.ts';
import { counting, shows } from './counter-under-test.ts';

it('waits while a text is not UTF-8, logs why, and counts all rows once the text is corrected', async () => {
  await using server = await startTestPostgres({ schema: false, parameters: { wal_writer_delay: '10ms' } });
  const name = `siphon_test_ascii_${Date.now()}`;
  // A database that does not check the encoding of its texts.
  await server.sql(`create database ${name} encoding 'SQL_ASCII' lc_collate 'C' lc_ctype 'C' template template0`);
  const url = Object.assign(new URL(server.url), { pathname: `/${name}` }).href;
  await runSql(url, 'create table places (id int primary key, place text)');
  const query = { table: 'public.places', labels: ['place'] };
  await using poller = await counting(url, query, { leader_election: { enabled: false } });
  await runSql(url, String.raw`insert into places values (1, 'caf'), (2, E'caf\351'), (3, E'caf\350')`);
  await expect.poll(() => poller.logText, { timeout: 9000 }).toContain('a text that the query reads is not UTF-8');
  expect([...poller.series.values()]).toEqual([]);
  await runSql(url, `update places set place = 'caf'`);
  await shows(poller, 3, { series: 'orders{place=caf}', timeoutMs: 40_000 });
  await poller.shutdown();
  await server.sql(`drop database ${name} with (force)`);
});
