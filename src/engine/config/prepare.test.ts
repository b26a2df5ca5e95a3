import { resolve } from 'node:path';
import { expect, it } from 'vitest';
import * as v from 'valibot';
import type { ExporterFactory, ReceiverFactory } from '../component.ts';
import { isModuleFile, moduleKeys } from '../schema/module-keys.ts';
import { ConfigError } from './config-error.ts';
import { loadConfig } from './load-config.ts';

const shop = v.strictObject({ window: v.optional(v.number(), 1), note: v.optional(v.string(), '') });

const neverCreated = (): never => {
  throw new Error('loading a configuration creates nothing');
};

/** Built-in packs by name, others by file. */
const packs = v.pipeAsync(
  v.objectWithRest({ health: v.optional(v.nullable(shop, {})) }, v.unknown()),
  moduleKeys(),
  v.lazyAsync(async (given) => {
    const files = Object.keys(given as object).filter(isModuleFile);
    const imported = await Promise.all(files.map(async (file) => [file, v.nullish(shop, {})] as const));
    return v.strictObjectAsync({ health: v.optional(v.any()), ...Object.fromEntries(imported) });
  }),
);

const poller: ReceiverFactory = {
  kind: 'receiver',
  type: 'poller',
  signals: ['metrics'],
  stability: 'stable',
  config: v.strictObjectAsync({
    packs: v.optionalAsync(packs, {}),
    labels: v.optional(v.union([v.array(v.string()), v.record(v.string(), v.string())]), {}),
    queries: v.optional(
      v.array(
        v.variant('kind', [
          v.strictObject({ kind: v.literal('gauge'), value: v.string(), limit: v.optional(v.number(), 5) }),
          v.strictObject({ kind: v.literal('counter'), table: v.string() }),
          v.strictObject({ kind: v.picklist(['insert', 'upsert']), into: v.string() }),
        ]),
      ),
      [],
    ),
  }),
  create: neverCreated,
};

const sink: ExporterFactory = {
  kind: 'exporter',
  type: 'sink',
  signals: ['metrics'],
  stability: 'stable',
  config: v.unknown(),
  delivery: () => ({}),
  create: neverCreated,
};

const SERVICE = 'service: {pipelines: {metrics: {receivers: [poller], exporters: []}}}';

/** The settings of the poller, or the problems that were found in them. */
async function settings(text: string, sets: string[] = []): Promise<unknown> {
  const sources = [{ name: 'conf/a.yaml', text: `receivers:\n  poller:\n    ${text}\n${SERVICE}` }];
  const environment = { ZIP: '01234' };
  try {
    const loaded = await loadConfig({ sources, sets, environment, factories: [poller, sink] });
    return loaded.config.receivers.get('poller')?.config;
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.message.split('\n');
  }
}

const withSink = ['exporters={sink: }', 'service.pipelines.metrics.exporters=[sink]'];

it('makes a key that is a module file absolute: relative to the file that contains it', async () => {
  expect(await settings('packs: {./shop.ts: {window: 2}, ../b.js: , /c.ts: {}}', withSink)).toMatchObject({
    packs: {
      [resolve('conf/shop.ts')]: { window: 2 },
      [resolve('b.js')]: { window: 1 },
      '/c.ts': { window: 1 },
    },
  });
  expect(await settings('packs: {"file:///a/my%20shop.ts": {}}', withSink)).toMatchObject({
    packs: { '/a/my shop.ts': { window: 1 } },
  });
  expect(await settings('packs: {"file://elsewhere/shop.ts": {}}', withSink)).toMatchObject({
    packs: { 'file://elsewhere/shop.ts': { window: 1 } },
  });
  expect(await settings('', [...withSink, 'receivers.poller.packs={./shop.ts: {}}'])).toMatchObject({
    packs: { [resolve('shop.ts')]: { window: 1 } },
  });
});

it('prepares the settings of a module as those of any other key, with its file and line', async () => {
  expect(await settings('packs: {./shop.ts: {note: "${env:ZIP}", window: }}', withSink)).toMatchObject({
    packs: { [resolve('conf/shop.ts')]: { note: '01234', window: 1 } },
  });
  const path = `receivers::poller::packs::${resolve('conf/shop.ts')}`;
  expect(await settings('packs:\n      ./shop.ts:\n        windw: 1\n        note: 7\n      helth:', withSink)).toEqual(
    [
      `conf/a.yaml:5 ${path}::windw: is an unknown key (did you mean window?); allowed: window, note`,
      `conf/a.yaml:6 ${path}::note: must be text`,
      expect.stringMatching(
        /^conf\/a\.yaml:7 receivers::poller::packs::helth: is an unknown key \(did you mean health\?\)/,
      ),
    ],
  );
});

it('reports the keys that the chosen kind allows, and no others', async () => {
  expect(
    await settings(
      'queries:\n      - {kind: gauge, value: a, table: b, limit: x}\n      - {kind: none}\n      - {kind: upsert, table: b, into: 1}',
      withSink,
    ),
  ).toEqual([
    'conf/a.yaml:4 receivers::poller::queries::0::table: is an unknown key; allowed: kind, value, limit',
    'conf/a.yaml:4 receivers::poller::queries::0::limit: must be a number',
    'conf/a.yaml:5 receivers::poller::queries::1::kind: must be gauge, counter, insert or upsert',
    'conf/a.yaml:6 receivers::poller::queries::2::table: is an unknown key; allowed: kind, into',
    'conf/a.yaml:6 receivers::poller::queries::2::into: must be text',
  ]);
});

it('reads the alternative of a union that has the form of the value', async () => {
  expect(await settings('labels: {zip: "${env:ZIP}", none: }', withSink)).toMatchObject({ labels: { zip: '01234' } });
  expect(await settings('labels: ["${env:ZIP}"]', withSink)).toMatchObject({ labels: ['01234'] });
});
