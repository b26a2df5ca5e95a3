import { expect, it } from 'vitest';
import { loadConfig } from '../../../engine/config/load-config.ts';
import { Collector } from '../../../engine/pipeline/collector.ts';
import { packs } from '../../../packs/index.ts';
import { logLines } from '../../../../tests/support/components/log-lines.ts';
import { componentFactories } from '../../index.ts';

it.each([
  [
    '${env:DATABASE_URL:-}',
    { DATABSE_URL: 'postgresql://h/d' },
    '${env:DATABASE_URL} is not set (did you mean DATABSE_URL?)',
  ],
  ['${env:DATABASE_URL}', {}, '${env:DATABASE_URL} is not set'],
  ['${env:DATABASE_URL}', { DATABASE_URL: '' }, '${env:DATABASE_URL} is empty'],
  ['""', {}, undefined],
])('warns that it is off and names the empty variable of %s', async (datasource, environment, cause) => {
  const text = `
receivers: { db_poller: { datasource: ${JSON.stringify(datasource.replaceAll('"', ''))}, packs: { postgres_health: } } }
exporters: { debug: }
service:
  telemetry: { metrics: { level: none } }
  pipelines: { metrics: { receivers: [db_poller], exporters: [debug] } }`;
  const factories = componentFactories(packs);
  const { config } = await loadConfig({ sources: [{ name: 'a.yaml', text }], sets: [], environment, factories });
  const { logger, lines } = logLines();
  const collector = new Collector(config, { version: '0', logger });
  await collector.start();
  await collector.shutdown(AbortSignal.timeout(1000));
  const off = lines.filter(({ msg }) => String(msg).startsWith('Poller is off'));
  expect(off).toMatchObject([{ level: 40, ...(cause && { cause }) }]);
});
