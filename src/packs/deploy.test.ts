import { readFileSync } from 'node:fs';
import { load } from 'js-yaml';
import { expect, it } from 'vitest';
import { shipped } from '../../tests/support/dashboards/shipped.ts';
import { selectorsOf } from '../dashboards/promql/node.ts';

function yaml(file: string): unknown {
  return load(readFileSync(new URL(`../../deploy/${file}`, import.meta.url), 'utf8'));
}

it('Prometheus scrapes both pages under the jobs that the dashboards look for', () => {
  const config = yaml('prometheus/prometheus.yaml') as {
    scrape_configs: { job_name: string; honor_labels?: boolean; static_configs: { targets: string[] }[] }[];
  };
  const targets = config.scrape_configs.map(({ job_name, static_configs }) => [
    job_name,
    static_configs[0]?.targets[0],
  ]);
  expect(targets).toEqual([
    ['services', '127.0.0.1:8000'],
    ['siphon', '127.0.0.1:8888'],
  ]);
  expect(config.scrape_configs[0]?.honor_labels).toBe(true);

  const expressions = shipped.dashboards.flatMap(({ rows }) =>
    rows.flatMap(({ panels }) => panels.flatMap(({ queries }) => queries)),
  );
  const matchers = expressions.flatMap(({ expression }) => selectorsOf(expression.node)).flatMap((one) => one.matchers);
  const jobs = new Set(matchers.filter(({ label }) => label === 'job').map(({ value }) => value));
  expect([...jobs]).toEqual([targets.map(([job]) => job).join('|')]);
});

it('Grafana leads from an exemplar to its trace in Sentry, and finds the dashboards where the command puts them', () => {
  const { datasources } = yaml('grafana/provisioning/datasources/siphon.yaml') as {
    datasources: { type: string; jsonData: { exemplarTraceIdDestinations: { name: string; url: string }[] } }[];
  };
  expect(datasources[0]).toMatchObject({
    type: 'prometheus',
    jsonData: {
      exemplarTraceIdDestinations: [{ name: 'trace_id', url: '$SENTRY_URL/explore/traces/trace/$${__value.raw}/' }],
    },
  });
  const { providers } = yaml('grafana/provisioning/dashboards/siphon.yaml') as {
    providers: { type: string; options: { path: string } }[];
  };
  const readme = readFileSync(new URL('../../deploy/grafana/README.md', import.meta.url), 'utf8');
  expect(providers[0]?.type).toBe('file');
  expect(readme).toContain(`npx siphon-otel dashboards export --dir ${providers[0]?.options.path}`);
});

it('Alertmanager keeps alerts back only by labels that both have: labels that both lack are equal too', () => {
  const { inhibit_rules: rules } = yaml('alertmanager/alertmanager.yml') as {
    inhibit_rules: { source_matchers: string[]; target_matchers: string[]; equal?: string[] }[];
  };
  const labelsOf = new Map(
    shipped.alerts.map(({ name, measured, labels = {} }) => [name, [...measured.labels, ...Object.keys(labels)]]),
  );
  const lacking = rules.flatMap(({ source_matchers, target_matchers, equal = [] }) => {
    const named = [...source_matchers, ...target_matchers].flatMap(
      (matcher) => /^alertname=~?"(.+)"$/.exec(matcher)?.[1]?.split('|') ?? [],
    );
    return named.flatMap((name) =>
      equal.filter((label) => labelsOf.get(name)?.includes(label) !== true).map((label) => `${name}: ${label}`),
    );
  });
  expect(lacking).toEqual([]);
});
