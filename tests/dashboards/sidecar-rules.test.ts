/** The rules of the packs in the sidecar and in a real Prometheus: the same verdicts at each minute of the same worlds. */
import { readFileSync } from 'node:fs';
import { load } from 'js-yaml';
import { describe, expect, it } from 'vitest';
import { severities } from '../../src/dashboards/rules/alert.ts';
import { complaintsAbout } from '../support/prometheus/compare-verdicts.ts';
import { verdictsOf } from '../support/prometheus/evaluated-world.ts';
import { END } from '../support/prometheus/input-series.ts';
import { promtoolMissing } from '../support/prometheus/promtool.ts';
import { alertCases } from './alert-cases.ts';

if (promtoolMissing !== undefined) process.stderr.write(`Verdicts are not compared: ${promtoolMissing}\n`);

interface Group {
  readonly name: string;
  readonly rules: readonly { readonly alert?: string; readonly record?: string; readonly expr: string }[];
}

function groupsOf(file: string): readonly Group[] {
  const text = readFileSync(new URL(`../../dashboards/prometheus/${file}`, import.meta.url), 'utf8');
  return (load(text) as { groups: readonly Group[] }).groups;
}

const [recordings, alerts] = [groupsOf('recording.yaml'), groupsOf('alerts.yaml')];

/** The shipped rules of one alert and what they read. */
function rulesOf(name: string): readonly Group[] {
  const own = alerts.map((group) => ({ ...group, rules: group.rules.filter(({ alert }) => alert === name) }));
  const text = own.flatMap(({ rules }) => rules.map(({ expr }) => expr)).join('\n');
  const read = recordings.map((group) => ({
    ...group,
    rules: group.rules.filter(({ record = '' }) => text.includes(record)),
  }));
  return [...read, ...own].filter(({ rules }) => rules.length > 0);
}

/** Rules about scrapes, which only a Prometheus makes: they have no verdict in a sidecar. */
const ofScrapes = new Set(['SidecarDown', 'SidecarNotScraped', 'ScrapeSlow']);

describe.skipIf(promtoolMissing).each(alertCases.filter(({ alert }) => !ofScrapes.has(alert.name)))(
  '$alert.name',
  ({ alert, world, values }) => {
    it('has the same verdict in a sidecar that keeps an hour', async () => {
      const groups = rulesOf(alert.name);
      const all = [...severities.map((severity) => values[severity]), values.fine].filter((one) => one !== undefined);
      const worlds = [];
      for (const value of all) {
        const input = world(value);
        worlds.push({ input, verdicts: await verdictsOf(groups, input, { minutes: END, retentionMs: 3_600_000 }) });
      }
      expect(worlds.flatMap(({ verdicts }) => verdicts.flat()).length).toBeGreaterThan(0);
      expect(complaintsAbout(groups, worlds)).toBe('');
    }, 60_000);
  },
);
