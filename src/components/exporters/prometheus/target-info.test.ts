import { expect, test } from 'vitest';
import { protobufFromJson } from '../../../engine/otlp/json/protobuf-from-json.ts';
import { attributes, ExporterUnderTest, gauge } from './exporter-under-test.ts';

const identity = { 'service.name': 's', 'service.instance.id': 'i' };

test('target_info follows a changed resource immediately, and does not jump between two of them', async () => {
  await using exporter = await ExporterUnderTest.start();
  const [before, after] = ['1', '2'].map((version) => ({
    attributes: attributes({ ...identity, 'service.version': version }),
  }));
  const target = async () => (await exporter.lines()).filter((line) => line.startsWith('target_info'));
  await exporter.consume([gauge('a', 1)], before);
  await exporter.consume([gauge('b', 1)], after);
  expect(await target()).toEqual(['target_info{instance="i",job="s",service_version="2"} 1']);
  await exporter.consume([gauge('a', 1)], before);
  expect(await target()).toEqual(['target_info{instance="i",job="s",service_version="2"} 1']);
});

test('a sender does not replace the target_info of one of siphon’s own receivers', async () => {
  await using exporter = await ExporterUnderTest.start();
  await exporter.consumeBytes(requestFrom('db'), true);
  await exporter.consumeBytes(requestFrom('evil'));
  expect(await exporter.lines()).toContain('target_info{host="db",instance="i",job="s"} 1');
});

function requestFrom(host: string): Uint8Array {
  const resource = { attributes: attributes({ ...identity, host }) };
  const request = { resourceMetrics: [{ resource, scopeMetrics: [{ metrics: [gauge(`of_${host}`, 1)] }] }] };
  return protobufFromJson('metrics', Buffer.from(JSON.stringify(request)));
}
