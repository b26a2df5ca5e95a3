/** How panels count, computed by promtool: an hour with a sample every minute. */
import { describe, expect, it } from 'vitest';
import { range, step } from '../../src/dashboards/model/variables.ts';
import { sum } from '../../src/dashboards/promql/aggregate.ts';
import { promql } from '../../src/dashboards/promql/promql.ts';
import { render } from '../../src/dashboards/promql/render.ts';
import { concrete } from '../../src/console/expression.ts';
import { packMetrics } from '../../src/packs/index.ts';
import { promtoolMissing, testRules } from '../support/prometheus/promtool.ts';

const { increase, mean, occurrences, shareAbove } = promql(packMetrics);

const DAY_S = 86_400;
const job = 'job="pipeline", instance="one"';

/** A process that started so many minutes after the beginning, seen from `from` to `to`. */
function processOf(startMinute: number, [from, to]: readonly [number, number]): { series: string; values: string } {
  return { series: `service_start_timestamp_seconds{${job}}`, values: seen(startMinute * 60, [from, to]) };
}

function errors(values: string, type = 'timeout'): { series: string; values: string } {
  return { series: `fetch_errors_total{${job}, source="a", platform="shopify", error_type="${type}"}`, values };
}

function seen(value: number, [from, to]: readonly [number, number]): string {
  return [...(from > 0 ? [`_x${from - 1}`] : []), `${value}x${to - from}`].join(' ');
}

function latency(part: string, value: number): { series: string; values: string } {
  const labels = `{${job}, source="a", platform="shopify"`;
  return { series: `fetch_latency_seconds_${part.replace('{', labels)}`, values: seen(value, [42, 42]) };
}

/** The artifacts of a roaster, counted by a sidecar. */
function artifacts(values: string): { series: string; values: string } {
  const labels = 'job="siphon", instance="shop", roaster="a", platform="shopify", http_status="200"';
  return { series: `scrape_artifacts_recorded_total{${labels}}`, values };
}

/** Counting that began at so many seconds after the beginning. */
function countingSince(values: string): { series: string; values: string } {
  const labels = 'job="siphon", instance="sidecar", receiver="db_poller", query="scrape_pipeline.artifacts"';
  return { series: `siphon_db_poller_counting_since_timestamp_seconds{${labels}}`, values };
}

/** How long a sidecar had been running. */
function uptime(values: string): { series: string; values: string } {
  return { series: `otelcol_process_uptime{job="siphon", instance="sidecar"}`, values };
}

function droppedItems(values: string): { series: string; values: string } {
  const labels = 'job="siphon", instance="sidecar", exporter="sentry", otel_signal="traces", reason="queue_full"';
  return { series: `siphon_dropped_items{${labels}}`, values };
}

interface Counted {
  readonly input: readonly { readonly series: string; readonly values: string }[];
  /** The number at the minute: of a panel or of an alert over the last 30 minutes, or of the last five. */
  readonly expects: readonly (readonly [what: 'range' | 'alert' | 'step', minute: number, value: number | undefined])[];
}

const inAlerts = occurrences('30m');

const FAILURES = {
  range: sum(increase('fetch_errors_total', range)),
  alert: sum(inAlerts('fetch_errors_total')),
  step: sum(increase('fetch_errors_total', step)),
};

const ARTIFACTS = {
  range: sum(increase('scrape_artifacts_recorded_total', range)),
  alert: sum(inAlerts('scrape_artifacts_recorded_total')),
  step: sum(increase('scrape_artifacts_recorded_total', step)),
};

const DROPPED = {
  range: sum(increase('siphon_dropped_items', range)),
  alert: sum(inAlerts('siphon_dropped_items')),
  step: sum(increase('siphon_dropped_items', step)),
};

function complaints({ input, expects }: Counted, counted: typeof FAILURES = FAILURES): string {
  return testRules(
    [],
    [
      {
        input,
        expects: expects.map(([what, minute, value]) => ({
          query: atMinute(render(counted[what]), minute),
          atMinute: minute,
          samples: value === undefined ? [] : [{ labels: '{}', value }],
        })),
      },
    ],
  );
}

/** With the macros of Grafana: the page shows 30 minutes, in steps of five. */
function atMinute(expression: string, minute: number): string {
  const toS = minute * 60;
  return concrete(expression, { choices: {}, steps: { fromS: toS - 1800, toS, stepS: 300 }, scrapeS: 60 });
}

describe.skipIf(promtoolMissing !== undefined)('panels and alerts count', () => {
  it('a job that is scraped once', () => {
    expect(
      complaints({
        input: [processOf(41, [42, 42]), errors(seen(4, [42, 42]))],
        expects: [
          ['range', 60, 4],
          ['alert', 60, 4],
          ['step', 44, 4],
          ['step', 49, undefined],
        ],
      }),
    ).toBe('');
  });

  it('a job that is still on the page minutes after its end, in one step only', () => {
    expect(
      complaints({
        input: [processOf(41, [42, 50]), errors(seen(4, [42, 50]))],
        expects: [
          ['range', 60, 4],
          ['step', 44, 4],
          ['step', 49, 0],
        ],
      }),
    ).toBe('');
  });

  it('the first event of a kind in a process that has been running for days', () => {
    expect(
      complaints({
        input: [processOf(-9000, [0, 60]), errors(seen(1, [50, 60]))],
        expects: [
          ['range', 60, 1],
          ['alert', 60, 1],
          ['step', 52, 1],
          ['step', 57, 0],
        ],
      }),
    ).toBe('');
  });

  it.each([
    ['for days', -9000],
    ['for an hour', -15],
    ['since shortly before the window', 24],
  ])('nothing that a process did before Prometheus had data: it had been running %s', (_, startMinute) => {
    expect(
      complaints({
        input: [processOf(startMinute, [45, 60]), errors('_x44 1000x15')],
        expects: [
          ['range', 60, 0],
          ['alert', 60, 0],
          ['step', 47, undefined],
          ['step', 52, 0],
        ],
      }),
    ).toBe('');
  });

  it('nothing that was counted before Prometheus had data by a process that does not say when it began', () => {
    expect(
      complaints({
        input: [errors('_x44 1000x15')],
        expects: [
          ['range', 60, 0],
          ['alert', 60, 0],
          ['step', 47, undefined],
        ],
      }),
    ).toBe('');
  });

  it('what such a process counts afterwards, also of a kind that is new', () => {
    expect(
      complaints({
        input: [processOf(-9000, [45, 60]), errors('_x44 1000x10 1002x5'), errors('_x49 3x10', 'dns')],
        expects: [
          ['range', 60, 5],
          ['step', 50, 3],
          ['step', 57, 2],
        ],
      }),
    ).toBe('');
  });

  it.each([
    ['within the window', 31, 6],
    ['five minutes before it', 25, 6],
    ['earlier', 24, 0],
  ])('what a process did during an outage only if it began %s', (_, startMinute, counted) => {
    const earlier = { ...errors('0x9 stale'), series: errors('').series.replace('one', 'earlier') };
    expect(
      complaints({
        input: [earlier, processOf(startMinute, [42, 60]), errors(seen(6, [42, 60]))],
        expects: [
          ['range', 60, counted],
          ['alert', 60, counted],
        ],
      }),
    ).toBe('');
  });

  it('nothing that may have been before the window, of a process that was seen before an outage', () => {
    expect(
      complaints({
        input: [{ ...processOf(0, [0, 0]), values: '-540000x9 stale _x30 -540000x18' }, errors(seen(6, [42, 60]))],
        expects: [
          ['range', 60, 0],
          ['alert', 60, 0],
        ],
      }),
    ).toBe('');
  });

  it('what a restarted process with the same name has counted since', () => {
    expect(
      complaints({
        input: [processOf(30, [31, 60]), errors(`${seen(7, [0, 40])} 3x19`)],
        expects: [
          ['step', 43, 3],
          ['step', 48, 0],
        ],
      }),
    ).toBe('');
  });

  it('rows that were counted before the first scrape, if counting had just begun', () => {
    const since = countingSince(seen(41 * 60, [42, 60]));
    const input = [since, artifacts('_x41 8x10 9x8')];
    const expects = [
      ['range', 60, 9],
      ['alert', 60, 9],
      ['step', 44, 8],
      ['step', 49, 0],
      ['step', 54, 1],
    ] as const;
    expect(complaints({ input, expects }, ARTIFACTS)).toBe('');
  });

  it('no rows that were counted long before Prometheus had data', () => {
    const input = [countingSince(seen(-9000 * 60, [42, 60])), artifacts('_x41 800x18')];
    const expects = [
      ['range', 60, 0],
      ['alert', 60, 0],
      ['step', 44, undefined],
      ['step', 54, 0],
    ] as const;
    expect(complaints({ input, expects }, ARTIFACTS)).toBe('');
  });

  it('what a sidecar has dropped since it began, but not before Prometheus had data', () => {
    const young = [uptime('_x41 60+60x18'), droppedItems('_x41 8x18')];
    expect(complaints({ input: young, expects: [['alert', 60, 8]] }, DROPPED)).toBe('');
    const old = [uptime('_x41 600000+60x18'), droppedItems('_x41 8x18')];
    expect(complaints({ input: old, expects: [['alert', 60, 0]] }, DROPPED)).toBe('');
  });

  it('no rows a second time after a gap in the first minutes', () => {
    const input = [countingSince(seen(41 * 60, [42, 60])), artifacts('_x41 8x1 stale 8x1 stale 8x13')];
    const expects = [
      ['step', 44, 8],
      ['step', 47, 0],
      ['step', 48, 0],
    ] as const;
    expect(complaints({ input, expects }, ARTIFACTS)).toBe('');
  });

  it('rows that were counted during a gap, in the step in which it ends', () => {
    const input = [countingSince(seen(-9000 * 60, [0, 60])), artifacts('800x40 stale _x8 803x8')];
    const expects = [
      ['step', 39, 0],
      ['step', 52, 3],
      ['step', 57, 0],
      ['range', 60, 3],
    ] as const;
    expect(complaints({ input, expects }, ARTIFACTS)).toBe('');
  });

  it('rows on both sides of a restart without a storage', () => {
    const since = countingSince(`_x31 ${32 * 60}x12 ${45 * 60}x15`);
    const input = [since, artifacts('_x32 0 8x11 0 3x14')];
    const expects = [
      ['range', 60, 11],
      ['step', 46, 3],
    ] as const;
    expect(complaints({ input, expects }, ARTIFACTS)).toBe('');
  });

  it('whole events, and the steps add up to the whole', () => {
    // An event every seven minutes.
    const values = Array.from({ length: 61 }, (_, minute) => Math.floor(minute / 7)).join(' ');
    expect(
      complaints({
        input: [processOf(-DAY_S, [0, 60]), errors(values)],
        expects: [
          ...[35, 40, 45, 50, 55, 60].map((minute) => {
            return ['step', minute, Math.floor(minute / 7) - Math.floor((minute - 5) / 7)] as const;
          }),
          ['range', 60, 4],
        ],
      }),
    ).toBe('');
  });

  it('exact means and shares of a job that is scraped once', () => {
    const input = [
      processOf(41, [42, 42]),
      latency('count{}', 4),
      latency('sum{}', 0.1),
      latency('bucket{, le="1"}', 3),
      latency('bucket{, le="+Inf"}', 4),
    ];
    const expected = [
      [mean({ name: 'fetch_latency_seconds', window: range }), 0.025],
      [shareAbove(1, { name: 'fetch_latency_seconds', window: range }), 0.25],
    ] as const;
    const expects = expected.map(([expression, value]) => ({
      query: atMinute(render(expression), 60),
      atMinute: 60,
      samples: [{ labels: '{}', value }],
    }));
    expect(testRules([], [{ input, expects }])).toBe('');
  });
});
