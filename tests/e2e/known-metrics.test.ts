import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { packMetrics, type MetricName } from '../../src/packs/index.ts';
import type { Metric } from '../../src/metrics/metric.ts';
import { BESIDES, cardinalityOf, ofEachRoaster, ROASTER_LABELS } from '../../src/packs/generate/cardinality.ts';
import { startDemo, type Demo } from '../../examples/coffee/start-demo.ts';
import { parsePrometheusText, type TextFamily, type TextSample } from '../support/prometheus/prometheus-text.ts';
import { waitFor } from '../support/wait-for.ts';

/** Labels that every series may have. */
const ALWAYS = new Set(['job', 'instance', 'le', 'otel_scope_name', 'otel_scope_version', 'otel_scope_schema_url']);

/** docs/metrics.md expects no series of it, or the demo is too short for it. */
const absentInDemo = (name: MetricName): boolean =>
  cardinalityOf(name).labelSets === 0 || ABSENT_WITHOUT_FAULT.has(name);

/** Nothing is lost in the demo, its clock is right, and it ends before rows are compared with the statistics. */
const ABSENT_WITHOUT_FAULT: ReadonlySet<MetricName> = new Set<MetricName>([
  'siphon_db_poller_uncounted_inserts',
  'siphon_ledger_dropped_items',
  'siphon_prometheus_clock_set_points',
]);

/** docs/metrics.md counts the series of the shipped configuration. That of the demo also samples traces for Sentry. */
function isOfShippedConfiguration({ labels }: TextSample): boolean {
  return labels['processor'] !== 'tail_sampling' && labels['account'] !== 'pipelines::traces/sentry';
}

/** The metrics of the sidecar and of the instrumentations. The instruments of the service are made from their descriptions. */
const described = (Object.entries(packMetrics) as [MetricName, Metric][]).filter(
  ([, { source }]) => source === 'runtime' || source === 'sidecar',
);
const expected = described.filter(([name]) => !absentInDemo(name));

describe('the descriptions of metrics', () => {
  let demo: Demo;
  let families: ReadonlyMap<string, TextFamily> = new Map();

  const missing = (): string[] => expected.map(([name]) => name).filter((name) => !families.has(name));

  beforeAll(async () => {
    demo = await startDemo({ fullRunEveryS: 5, priceRunEveryS: 1 });
    await waitFor(
      async () => {
        families = await pagesOf(demo);
        return missing().length === 0;
      },
      { what: 'every described metric', timeoutMs: 60_000 },
    ).catch((cause: unknown) => {
      throw new Error(`missing: ${missing().join(', ')}`, { cause });
    });
  });

  afterAll(async () => await demo.stop());

  it.each(expected)('%s has this kind and these labels, values and buckets', (name, metric) => {
    const { type, samples = [] } = families.get(name) ?? {};
    expect(type).toBe(metric.kind);
    for (const { labels } of samples) {
      for (const [label, value] of Object.entries(labels).filter(([one]) => !ALWAYS.has(one))) {
        const values = metric.labels[label];
        expect(values, `the label ${label}`).toBeDefined();
        if (values !== undefined && !('maxValues' in values)) expect(values).toContain(value);
      }
    }
    if (metric.kind !== 'histogram') return;
    const bounds = new Set(samples.flatMap(({ labels }) => (labels['le'] === undefined ? [] : Number(labels['le']))));
    expect([...bounds].filter(Number.isFinite).toSorted((one, other) => one - other)).toEqual(metric.buckets);
  });

  const scraped = (Object.entries(packMetrics) as [MetricName, Metric][]).filter(
    ([, { source }]) => source !== 'prometheus',
  );

  it.each(scraped)('%s has at most the label sets of docs/metrics.md', (name, metric) => {
    const sets = new Set((families.get(name)?.samples ?? []).filter(isOfShippedConfiguration).map(labelSetOf));
    const roasterLabel = Object.keys(metric.labels).find((label) => ROASTER_LABELS.has(label));
    if (roasterLabel === undefined) {
      expect(sets.size).toBeLessThanOrEqual(cardinalityOf(name).labelSets);
      return;
    }
    const setsOf = Map.groupBy(sets, (set) => new Map(JSON.parse(set) as [string, string][]).get(roasterLabel));
    for (const [roaster, own] of setsOf) {
      expect(own.length, `label sets of ${roaster}`).toBeLessThanOrEqual(ofEachRoaster(name));
    }
  });

  it('are complete except for the metrics that docs/metrics.md counts', () => {
    const besides = [...families.values()].filter(({ name }) => !Object.hasOwn(packMetrics, name));
    const series = besides.reduce((sum, { samples }) => sum + samples.length, 0);
    expect(series).toBeLessThanOrEqual(Object.values(BESIDES).reduce((sum, one) => sum + one.series, 0));
  });
});

function labelSetOf({ labels }: TextSample): string {
  const own = Object.entries(labels).filter(([label]) => label !== 'le');
  return JSON.stringify(own.toSorted(([one], [other]) => (one < other ? -1 : 1)));
}

async function pagesOf({ ports }: Demo): Promise<ReadonlyMap<string, TextFamily>> {
  const pages = await Promise.all(
    [ports.scrape, ports.telemetry].map(async (port) => await (await fetch(`http://127.0.0.1:${port}/metrics`)).text()),
  );
  // Both pages have a target_info, of other things.
  const all = Map.groupBy(pages.flatMap(parsePrometheusText), ({ name }) => name);
  return new Map(
    [...all].map(([name, [family, ...more]]) => [
      name,
      { ...(family as TextFamily), samples: [family as TextFamily, ...more].flatMap(({ samples }) => samples) },
    ]),
  );
}
