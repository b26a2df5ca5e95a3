import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { attributes, counter, ExporterUnderTest, gauge, type Json } from './exporter-under-test.ts';
import { gaugesRequest } from '../../../../tests/support/otlp/gauges-request.ts';

const SECOND = 1_000_000_000n;
const nowNs = BigInt(Date.now()) * 1_000_000n;

function from(host: string): Json {
  return { attributes: attributes({ 'host.name': host }) };
}

test('a start time in the future does not take a series over', async () => {
  await using exporter = await ExporterUnderTest.start();
  await exporter.consume([counter('n', 1, { start: nowNs - 100n * SECOND, time: nowNs })], from('owner'));
  const future = nowNs + 3600n * SECOND;
  await exporter.consume([counter('n', 666, { start: future, time: future })], from('other'));
  expect(await exporter.lines()).toEqual(['n_total 1']);
  await exporter.consume([counter('n', 2, { start: nowNs - 100n * SECOND, time: nowNs + SECOND })], from('owner'));
  expect(await exporter.lines()).toEqual(['n_total 2']);
  expect(await exporter.dropped()).toEqual({ duplicate_series: 1 });
});

test('a name returns to the type that has held it for longer', async () => {
  await using exporter = await ExporterUnderTest.start({ metric_expiration: '500ms', add_metric_suffixes: false });
  const rightful = gauge('x', 1);
  const other = { name: 'x', summary: { dataPoints: [{ count: '1', sum: 1 }] } };
  for (let i = 0; i < 9; i++) {
    await exporter.consume([rightful], from('rightful'));
    await sleep(100);
  }
  await expect.poll(() => exporter.lines()).toEqual([]);
  await sleep(200);
  await exporter.consume([other], from('other'));
  expect(await exporter.lines()).toEqual(['x_sum 1', 'x_count 1']);
  await exporter.consume([rightful], from('rightful'));
  await exporter.consume([other], from('other'));
  expect(await exporter.lines()).toEqual(['x 1']);
  expect(await exporter.dropped()).toEqual({ type_conflict: 1 });
});

test('a name goes to its steady sender, although another one with another type came first', async () => {
  await using exporter = await ExporterUnderTest.start({ metric_expiration: '300ms' });
  const rightful = gauge('x', 1);
  const squatter = { name: 'x', summary: { dataPoints: [{ count: '1', sum: 1 }] } };
  const send = async (metric: Json, host: string): Promise<void> => exporter.consume([metric], from(host));
  await send(squatter, 'squatter');
  for (let i = 0; i < 15; i++) {
    await sleep(50);
    await send(rightful, 'rightful');
    await send(squatter, 'squatter');
  }
  expect(await exporter.lines()).toEqual(['x_sum 1', 'x_count 1']);
  // The squatter pauses. After that it does not get the name back.
  const isShown = async (): Promise<boolean> => {
    await send(rightful, 'rightful');
    return (await exporter.lines()).includes('x 1');
  };
  await expect.poll(isShown, { interval: 50 }).toBe(true);
  for (let i = 0; i < 10; i++) {
    await sleep(50);
    await send(rightful, 'rightful');
    await send(squatter, 'squatter');
    expect(await exporter.lines()).toEqual(['x 1']);
  }
});

test('no sender takes names or series of the database, and the database takes them back', async () => {
  await using exporter = await ExporterUnderTest.start();
  const own = gaugesRequest({ names: ['rows', 'size'] });
  const squatted = { name: 'rows', summary: { dataPoints: [{ count: '1', sum: 1 }] } };
  await exporter.consume([squatted]);
  await exporter.consumeBytes(gaugesRequest({ names: ['size'] }));
  await exporter.consumeBytes(own, true);
  const page = ['rows{a="",job="shop"} 1', 'size{a="",job="shop"} 1'];
  expect(await exporter.lines()).toEqual(page);
  await exporter.consume([squatted]);
  await exporter.consumeBytes(gaugesRequest({ names: ['size'] }));
  expect(await exporter.lines()).toEqual(page);
  expect(await exporter.dropped()).toEqual({ type_conflict: 1, duplicate_series: 1 });
});
