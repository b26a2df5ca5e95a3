import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { parser } from '@prometheus-io/lezer-promql';
import { load } from 'js-yaml';
import { describe, expect, it } from 'vitest';
import { shipped } from '../../tests/support/dashboards/shipped.ts';
import { checkExpression, withoutMacros } from '../dashboards/promql/check-expression.ts';
import { packMetrics, packs } from './index.ts';

const { alerts, dashboards } = shipped;

const root = new URL('../../', import.meta.url);
const pages = packs.flatMap(({ runbooks: { folder } = { folder: root } }) =>
  readdirSync(folder).map((file) => ({
    name: file.replace(/\.md$/, ''),
    text: readFileSync(new URL(file, folder), 'utf8'),
    folder,
  })),
);

const HEADINGS = ['What it means', 'How to see it', 'Likeliest causes', 'What to do', 'When to wake someone'];
const COMMANDS = new Set(['siphon', 'curl', 'psql', 'promtool', 'amtool', 'kill']);
/** Values of labels and of columns that look like metrics. */
const NO_METRICS = new Set(['price_only', 'pipeline_refused', 'max_series_bytes']);
/** Queries about series of any kind, not about metrics of the packs. */
const ABOUT_PROMETHEUS = new Set([
  'topk(10, count by (__name__) ({__name__!="", job!="siphon"}))',
  'ALERTS{alertname="Watchdog"}',
]);

const { groups } = load(readFileSync(new URL('dashboards/prometheus/recording.yaml', root), 'utf8')) as {
  groups: readonly { rules: readonly { record: string; expr: string }[] }[];
};
const recorded = new Map(
  groups
    .flatMap(({ rules }) => rules)
    .map(({ record, expr }) => [record, checkExpression(expr, { metrics: packMetrics })]),
);

function blocks(text: string, language: string): readonly string[] {
  return [...text.matchAll(new RegExp(`\`\`\`${language}\\n(.*?)\`\`\``, 'gs'))].map(([, block = '']) => block.trim());
}

function numbered(section: string): readonly string[] {
  return section.match(/^\d\. /gm) ?? [];
}

it('the list leads to every runbook', () => {
  const list = readFileSync(new URL('docs/runbooks/README.md', root), 'utf8');
  for (const { name } of pages) expect(list).toMatch(new RegExp(`\\[${name}\\]\\(\\S+/runbooks/${name}\\.md\\)`));
});

describe.each(pages)('the runbook of $name', ({ name, text, folder }) => {
  const alert = alerts.find((one) => one.name === name);
  const section = (heading: string): string => text.split(`## ${heading}\n`)[1]?.split('\n## ')[0]?.trim() ?? '';

  it('has its name and all of its parts, in order', () => {
    expect(text.split('\n')[0]).toBe(`# ${name}`);
    expect([...text.matchAll(/^## (.+)$/gm)].map(([, heading]) => heading)).toEqual(HEADINGS);
    for (const heading of HEADINGS) expect(section(heading), heading).toMatch(/^\S.*\.|\S/);
  });

  it('names three causes, and steps to take', () => {
    expect(numbered(section('Likeliest causes'))).toEqual(['1. ', '2. ', '3. ']);
    expect(numbered(section('What to do')).length).toBeGreaterThanOrEqual(3);
  });

  it('shows where to look, and names the panel to which the alert leads', () => {
    const seen = section('How to see it');
    expect(blocks(seen, '(?:promql|sql|sh)').length).toBeGreaterThan(0);
    if (alert?.panel === undefined) return;
    expect(seen).toContain(`*${alert.panel.title}*`);
    expect(seen).toContain(dashboards.find(({ uid }) => uid === alert.panel?.dashboard)?.title);
  });

  it('wakes someone if and only if the alert pages', () => {
    const advice = section('When to wake someone');
    const wakes = name === 'Watchdog' || Object.values(alert?.level ?? {}).includes('page');
    if (wakes) expect(advice).toMatch(/^Page\b/);
    else {
      expect(advice).toMatch(/^Do not page\b/);
      expect(advice).not.toMatch(/\b(?:call|wake|night|immediately)\b/i);
    }
  });

  it('uses only existing metrics', () => {
    for (const query of blocks(text, 'promql')) {
      const problems = ABOUT_PROMETHEUS.has(query)
        ? parseErrors(query)
        : checkExpression(query, { metrics: packMetrics, recorded }).problems;
      expect(problems, query).toEqual([]);
    }
  });

  it('names only existing metrics, alerts, panels, files and commands', () => {
    const names = [...text.replaceAll(/```.*?```/gs, '').matchAll(/`([^`\n]+)`/g)].map(([, code = '']) => code);
    for (const code of names) {
      if (/_(total|seconds|bytes|percent)$|^(siphon|otelcol|database|scrape_run|pipeline|fetch|price)_/.test(code)) {
        const metric = code.replace(/(_bucket|_count|_sum)$/, '');
        expect(Object.hasOwn(packMetrics, metric) || NO_METRICS.has(code), code).toBe(true);
      }
      if (/^(deploy|docs|src)\//.test(code)) expect(existsSync(new URL(code, root)), code).toBe(true);
    }
    const mentioned = [...text.matchAll(/\b([A-Z][a-z]+(?:[A-Z][a-z]+)+)\b/g)].map(([, word]) => word);
    const known = new Set([...alerts.map((one) => one.name), 'PostgreSQL', 'PromQL']);
    expect(mentioned.filter((word) => !known.has(word ?? ''))).toEqual([]);
    for (const [, target = ''] of text.matchAll(/\]\(([^)]+)\)/g)) {
      expect(existsSync(new URL(target, folder)), target).toBe(true);
    }
  });

  it('uses only known commands', () => {
    for (const line of blocks(text, 'sh').flatMap((block) => block.split('\n'))) {
      const [command = '', subcommand] = line.split(' ');
      expect(COMMANDS.has(command), line).toBe(true);
      if (command === 'siphon') expect(['doctor', 'validate', 'print-config']).toContain(subcommand);
    }
  });
});

function parseErrors(query: string): readonly string[] {
  const errors: string[] = [];
  parser.parse(withoutMacros(query)).iterate({
    enter: ({ type, from }) => {
      if (type.isError) errors.push(`cannot be parsed from ${from}`);
    },
  });
  return errors;
}
