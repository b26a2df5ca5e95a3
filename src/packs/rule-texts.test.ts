import { expect, it } from 'vitest';
import { componentFactories } from '../components/index.ts';
import type { CollectorConfig } from '../engine/collector-config.ts';
import { loadConfig } from '../engine/config/load-config.ts';
import { packs } from './index.ts';
import { ruleTexts } from './rule-texts.ts';

/** A configuration with rules, and with these lines for the poller, for Sentry and in `rules`. */
interface Lines {
  readonly poller?: string;
  readonly dsn?: string;
  readonly rules?: string;
}

interface Chosen {
  readonly owners: readonly string[];
  readonly hasSentry: boolean;
}

async function load({ poller = '', dsn = '', rules = '' }: Lines): Promise<CollectorConfig> {
  const text = `
receivers:
  otlp: {protocols: {http: {}}}
  db_poller: {datasource: '${poller === '' ? '' : 'postgresql://siphon@db/shop'}', packs: {${poller || 'scrape_pipeline'}: {}}}
exporters:
  sentry: {dsn: '${dsn}'}
  debug: {}
extensions:
  metrics_history: {rules: {${rules}}}
service:
  extensions: [metrics_history]
  pipelines:
    metrics: {receivers: [otlp, db_poller], exporters: [debug]}
    traces: {receivers: [otlp], exporters: [sentry]}
`;
  const factories = componentFactories(packs);
  const { config } = await loadConfig({ sources: [{ name: 'a.yaml', text }], sets: [], environment: {}, factories });
  return config;
}

/** Returns what the history gets from the packs. */
async function chosenBy(lines: Lines): Promise<Chosen> {
  let texts = '';
  const factories = componentFactories(packs, undefined, async (choice) => {
    const files = await ruleTexts(packs, choice);
    texts = files.map(({ text }) => text).join('');
    return files;
  });
  const { config } = (await load(lines)).extensions.get('metrics_history')!;
  await factories.find(({ type }) => type === 'metrics_history')!.check!(config);
  const owners = new Set([...texts.matchAll(/^ +owner: (\w+)$/gm)].map(([, owner = '']) => owner));
  return { owners: [...owners].toSorted(), hasSentry: texts.includes('sentry_url') };
}

const DSN = 'https://key@sentry.example.com/1';

it('the rules of a sidecar are those of the packs whose metrics its configuration can produce', async () => {
  expect((await chosenBy({})).owners).toEqual(['service', 'sidecar']);
  expect((await chosenBy({ poller: 'postgres_health' })).owners).toEqual(['database', 'service', 'sidecar']);
  expect((await chosenBy({ poller: 'scrape_pipeline' })).owners).toEqual(['pipeline', 'service', 'sidecar']);
});

it('a list of packs decides alone', async () => {
  const { owners } = await chosenBy({ poller: 'postgres_health', rules: 'packs: [scrape_pipeline]' });
  expect(owners).toEqual(['pipeline']);
});

it('alerts link to Sentry where something is sent there', async () => {
  expect((await chosenBy({})).hasSentry).toBe(false);
  expect((await chosenBy({ dsn: DSN })).hasSentry).toBe(true);
});

it('alerts have the link to Sentry that the settings name, also without a DSN', async () => {
  const settings = 'links: {sentry: https://shop.sentry.io}';
  const texts = await ruleTexts(packs, { names: undefined, subjects: [], settings });
  expect(texts.map(({ text }) => text).join('')).toContain('sentry_url: https://shop.sentry.io/issues');
});
