import { describe, expect, it } from 'vitest';
import { describeSwitch, faults } from './fault.ts';
import { liveView, plainLine, type Snapshot } from './live-view.ts';
import { ScrapePage } from './scrape-page.ts';

const busy: Snapshot = {
  elapsedS: 3671,
  ports: { console: 8001, scrape: 48_000, telemetry: 48_888 },
  prometheusFile: '/tmp/siphon-demo-AbCdEf/prometheus.yaml',
  tallies: new Map([['babas-beans', { ok: 12_345, partial: 3, fail: 1 }]]),
  page: new ScrapePage(
    ['200', '304', '429', '502', 'none']
      .map((status) => `artifacts_total{source="babas-beans",status="${status}"} 9999`)
      .concat('price_changes_total{roaster="babas-beans"} 1234567', 'review_rate_percent{roaster="babas-beans"} 20')
      .join('\n'),
  ),
  scrapeMs: 12.34,
  self: new ScrapePage(
    `otelcol_receiver_accepted_metric_points{receiver="otlp"} 12345678
otelcol_receiver_accepted_spans{receiver="otlp"} 7654321
otelcol_process_memory_rss 104857600`,
  ),
  transactions: 5000,
  errors: 5000,
  lastError: { message: 'x'.repeat(200), traceId: 'a'.repeat(32) },
  faults: new Set(['sidecar_killed']),
  note: 'y'.repeat(200),
};

describe('the live view', () => {
  it('fits 80 columns and 24 rows', () => {
    const lines = liveView(busy);
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThan(80);
    expect(lines.length).toBeLessThan(24);
  });

  it('has room for the confirmation of every fault', () => {
    for (const fault of faults) expect(describeSwitch(fault, true).length, fault).toBeLessThan(80);
  });

  it('shows each shop, the sidecar, the last error with its trace, and every fault, marked when on', () => {
    const text = liveView(busy).join('\n');
    expect(text).toMatch(/babas-beans +12345 +3 +1 +1,234,567 +20.0 %  200: 9999, 304/);
    expect(text).toContain('12,345,678 points, 7,654,321 spans, scrape 12.3 ms, memory 100 MiB');
    expect(text).toContain(`trace ${'a'.repeat(32)}`);
    expect(text).toMatch(/^siphon demo.* 61:11$/m);
    for (const fault of faults) expect(text).toContain(fault);
    expect(text).toContain('*b sidecar_killed');
  });

  it('shows unknown values as question marks', () => {
    const text = liveView({ ...busy, page: undefined, self: undefined, lastError: undefined }).join('\n');
    expect(text).toMatch(/babas-beans +12345 +3 +1 +\? +\?/);
    expect(text).toContain('sidecar   not reachable');
    expect(text).toContain('error     none');
  });

  it('is one line without a terminal', () => {
    expect(plainLine(busy)).toBe(
      '61:11 | babas-beans 12345 ok 3 partial 1 fail | 12,345,678 points, 7,654,321 spans, scrape 12.3 ms, ' +
        'memory 100 MiB | 5000 transactions 5000 errors | sidecar_killed',
    );
  });
});
