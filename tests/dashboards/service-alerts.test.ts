/** The alerts of the pack `service` with little traffic, and with processes that end soon. */
import { load } from 'js-yaml';
import { describe, expect, it } from 'vitest';
import { defaultSettings } from '../../src/dashboards/rules/settings.ts';
import { ruleFiles } from '../../src/dashboards/rules/rule-files.ts';
import { service } from '../../src/packs/index.ts';
import { loadPacks } from '../../src/packs/load.ts';
import { promtoolMissing, testRules } from '../support/prometheus/promtool.ts';

const files = ruleFiles(await loadPacks([service]), defaultSettings);
const groups = ['recording.yaml', 'alerts.yaml'].flatMap((name) => {
  return (load(files.get(name) ?? '') as { readonly groups: readonly { readonly name: string }[] }).groups;
});

if (promtoolMissing !== undefined) process.stderr.write(`The alerts of services are not tested: ${promtoolMissing}\n`);

function alertsOf(input: Readonly<Record<string, string>>, firing: readonly string[]): string {
  return testRules(groups, [
    {
      input: Object.entries(input).map(([series, values]) => ({ series, values })),
      expects: [
        {
          query: 'count by (alertname, severity) (ALERTS{alertstate="firing"})',
          atMinute: 60,
          samples: firing.map((labels) => ({ labels, value: 1 })),
        },
      ],
    },
  ]);
}

const requests = (status: number, instance = 'a'): string =>
  `http_server_request_duration_seconds_count{job="shop", http_route="/orders", http_response_status_code="${status}", instance="${instance}"}`;
const start = (instance = 'a'): string => `service_start_timestamp_seconds{job="shop", instance="${instance}"}`;
const slower = (le: string): string =>
  `http_server_request_duration_seconds_bucket{job="shop", http_route="/orders", le="${le}", instance="a"}`;

describe.skipIf(promtoolMissing !== undefined)('the alerts of services', () => {
  it('stay silent while nine requests fail, however few there are', () => {
    expect(alertsOf({ [requests(500)]: '_x40 9x20' }, [])).toBe('');
  });

  it('count the failures of processes that were scraped once', () => {
    const processes = Array.from({ length: 10 }, (_, index): [string, string][] => [
      [start(`job-${index}`), `_x${40 + index} ${(40 + index) * 60 - 20} stale`],
      [requests(500, `job-${index}`), `_x${40 + index} 1 stale`],
    ]).flat();
    expect(
      alertsOf(Object.fromEntries(processes), [
        '{alertname="ServiceErrors", severity="critical"}',
        '{alertname="ServiceErrors", severity="warning"}',
      ]),
    ).toBe('');
  });

  it('stay silent when a Prometheus, or a sidecar, begins to see a service that has failed for hours', () => {
    const failing = { [start()]: '_x40 -7200x20', [requests(500)]: '_x40 900x20', [requests(200)]: '_x40 100x20' };
    expect(alertsOf({ ...failing, [slower('10.0')]: '_x40 0x20', [slower('+Inf')]: '_x40 900x20' }, [])).toBe('');
  });

  it('stay silent while 39 requests are slow', () => {
    const slow = { [slower('10.0')]: '_x40 0x20', [slower('+Inf')]: '_x40 39x20', [requests(200)]: '_x40 39x20' };
    expect(alertsOf(slow, [])).toBe('');
  });

  it('leave alone a job that computes and has no clients', () => {
    expect(alertsOf({ 'nodejs_eventloop_delay_max_seconds{job="report", instance="a"}': '60x60' }, [])).toBe('');
  });
});
