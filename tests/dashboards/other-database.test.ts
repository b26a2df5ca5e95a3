/** A sidecar polls a database that is not the pipeline's: no rule may report a problem. */
import { readFileSync } from 'node:fs';
import { load } from 'js-yaml';
import { describe, expect, it } from 'vitest';
import { CONFIGS } from '../../examples/coffee/sidecar.ts';
import { startTestPostgres } from '../support/postgres/test-postgres.ts';
import { Sidecar } from '../support/processes/sidecar.ts';
import { runCommand } from '../support/processes/run-command.ts';
import { parsePrometheusText, type TextSample } from '../support/prometheus/prometheus-text.ts';
import { promtoolMissing, testRules, type InputSeries } from '../support/prometheus/promtool.ts';
import { waitFor } from '../support/wait-for.ts';

const MINUTES = 60;

describe.skipIf(promtoolMissing)('a database without the tables of the pipeline', () => {
  it.each([
    ['the shipped configuration', CONFIGS.slice(0, 1)],
    ['the pack of the pipeline', CONFIGS],
  ])('raises no alert within an hour with %s', async (_name, configs) => {
    await using database = await startTestPostgres({ schema: false });
    await database.sql('create table orders (id bigint primary key, price numeric)');
    const environment = { DATABASE_URL: database.pollerUrl };
    const poll = ['collection_interval=200ms', 'initial_delay=0s'].map((setting) => `receivers.db_poller.${setting}`);
    await using sidecar = await Sidecar.start({ configs, environment, sets: poll });
    await waitFor(async () => (await sidecar.scrape()).includes('database_size_bytes'), { what: 'the database' });

    const pages = { services: await sidecar.scrape(), siphon: await sidecar.selfMetrics() };
    const input = Object.entries(pages).flatMap(([job, text]) =>
      parsePrometheusText(text)
        .flatMap(({ samples }) => samples)
        .map((sample) => continued(sample, job))
        .concat(up(job)),
    );
    const alerts = { query: 'group by (alertname) (ALERTS)', atMinute: MINUTES };
    const samples = [{ labels: '{alertname="Watchdog"}', value: 1 }];
    expect(testRules(shippedRules(), [{ input, expects: [{ ...alerts, samples }] }])).toBe('');
  });

  it('gives doctor nothing to report about the poller of the shipped configuration', async () => {
    await using database = await startTestPostgres({ schema: false });
    const environment = { DATABASE_URL: database.pollerUrl };
    const { exitCode, printed } = await runCommand(['doctor', '--config', CONFIGS[0]], environment);
    expect(exitCode, printed).toBe(0);
    expect(printed).not.toMatch(/^(?:error|warning) +receivers::db_poller/m);
  });
});

/** The sample as a series that Prometheus scrapes with this value, minute after minute. Times move on with the clock. */
function continued({ name, labels, value }: TextSample, job: string): InputSeries {
  const all = Object.entries({ instance: job, ...labels, job }).map(
    ([label, text]) => `${label}=${JSON.stringify(text)}`,
  );
  const isTime = name.endsWith('_timestamp_seconds');
  return { series: `${name}{${all.join(', ')}}`, values: isTime ? `0+60x${MINUTES}` : `${value}x${MINUTES}` };
}

function up(job: string): InputSeries {
  return { series: `up{job="${job}", instance="${job}"}`, values: `1x${MINUTES}` };
}

function shippedRules(): readonly { readonly name: string }[] {
  return ['recording.yaml', 'alerts.yaml'].flatMap((file) => {
    const text = readFileSync(new URL(`../../dashboards/prometheus/${file}`, import.meta.url), 'utf8');
    return (load(text) as { groups: { readonly name: string }[] }).groups;
  });
}
