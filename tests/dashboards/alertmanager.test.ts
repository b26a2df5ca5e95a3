import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { load } from 'js-yaml';
import { describe, expect, it } from 'vitest';
import type { AlertRule } from '../../src/dashboards/rules/alert-rules.ts';
import { AlertSink } from '../support/alerts/alert-sink.ts';
import {
  alertmanagerMissing,
  AlertmanagerServer,
  shippedAlertmanager,
  type PostedAlert,
} from '../support/alerts/alertmanager-server.ts';
import { waitFor } from '../support/wait-for.ts';

const config = path.join(shippedAlertmanager, 'alertmanager.yml');
const text = readFileSync(config, 'utf8');
const { groups } = load(readFileSync(new URL('../../dashboards/prometheus/alerts.yaml', import.meta.url), 'utf8')) as {
  groups: readonly { rules: readonly AlertRule[] }[];
};
const rules = groups.flatMap((group) => group.rules);

function amtool(args: readonly string[]): { status: number | null; said: string } {
  const { status, stdout, stderr } = spawnSync('amtool', args, { encoding: 'utf8' });
  return { status, said: (stdout + stderr).trim() };
}

/** An alert as Prometheus sends it, with the relevant templates filled in. */
function raised(name: string, severity: string, labels: Readonly<Record<string, string>> = {}): PostedAlert {
  const rule = rules.find(({ alert, labels: own }) => alert === name && own['severity'] === severity);
  if (rule === undefined) throw new Error(`no rule ${name} ${severity}`);
  const all = { alertname: name, ...rule.labels, ...labels };
  const filledIn = (template: string): string =>
    template
      .replaceAll(/\{\{ \$labels\.(\w+).*?\}\}/g, (_, label: string) => labels[label] ?? '')
      .replaceAll(/\{\{ \$value.*?\}\}/g, '42');
  const fill = (texts: Readonly<Record<string, string>>): Record<string, string> =>
    Object.fromEntries(Object.entries(texts).map(([key, template]) => [key, filledIn(template)]));
  return { labels: fill(all), annotations: fill(rule.annotations) };
}

function rendered(template: string, alerts: readonly (PostedAlert & { status?: string })[], status = 'firing'): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'siphon-template-'));
  const { alertname = '', roaster } = alerts[0]?.labels ?? {};
  const groupLabels = { alertname, ...(roaster !== undefined && { roaster }) };
  const data = {
    receiver: 'slack',
    status,
    alerts: alerts.map((alert) => ({ status, ...alert })),
    groupLabels,
    commonLabels: { ...groupLabels, severity: alerts[0]?.labels['severity'], owner: alerts[0]?.labels['owner'] },
    commonAnnotations: {},
    externalURL: 'https://alerts.example.com',
  };
  try {
    const file = path.join(folder, 'data.json');
    writeFileSync(file, JSON.stringify(data));
    const { status: exitCode, said } = amtool([
      'template',
      'render',
      `--template.glob=${shippedAlertmanager}/templates/*.tmpl`,
      `--template.data=${file}`,
      `--template.text={{ template "${template}" . }}`,
    ]);
    expect(exitCode, said).toBe(0);
    return said;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Waits for that many messages, and for others that would have been sent together with them. */
async function settled(sink: AlertSink, messages: number): Promise<void> {
  await waitFor(() => sink.messages.length >= messages, { what: `${messages} messages` });
  await new Promise((resolve) => setTimeout(resolve, 3000));
}

const over = (alert: PostedAlert): PostedAlert => ({ ...alert, endsAt: new Date(Date.now() - 1000).toISOString() });

function minutesKept(name: string): number {
  return Number(rules.find(({ alert }) => alert === name)?.keep_firing_for?.replace('m', ''));
}

describe('the configuration of Alertmanager', () => {
  it.skipIf(alertmanagerMissing)('is one that amtool takes', () => {
    expect(amtool(['check-config', config])).toMatchObject({ status: 0 });
  });

  it
    .skipIf(alertmanagerMissing)
    .each(rules.map(({ alert, labels }) => [alert, labels['severity'] ?? '', labels['level'] ?? 'dead-man']))(
    'leads %s %s to %s',
    (alert, severity, receiver) => {
      const labels = [`alertname=${alert}`, `severity=${severity}`, `level=${receiver}`];
      const routing = ['config', 'routes', 'test', `--config.file=${config}`, `--verify.receivers=${receiver}`];
      const { status, said } = amtool([...routing, ...labels]);
      expect({ status, receiver: said.split('\n')[0] }).toEqual({ status: 0, receiver });
    },
  );

  it('lets what is critical keep back its own warning, and no other', () => {
    const [, equal = ''] = /equal: \[([^\]]+)\]/.exec(text.replaceAll(/\s+/g, ' ')) ?? [];
    const compared = new Set(equal.split(',').map((label) => label.trim()));
    const named = rules.flatMap(({ annotations, labels, expr }) => [
      ...[
        ...Object.values(annotations)
          .join(' ')
          .matchAll(/\$labels\.(\w+)/g),
      ].map(([, label]) => label ?? ''),
      ...[...expr.matchAll(/ by \(([^)]*)\)/g)].flatMap(([, by = '']) => by.split(', ')),
      ...Object.keys(labels),
    ]);
    const irrelevant = new Set(['severity', 'level', 'owner', 'le']);
    expect([...new Set(named)].filter((label) => !irrelevant.has(label) && !compared.has(label))).toEqual([]);
    expect(compared.has('alertname')).toBe(true);
  });

  it('names only existing alerts', () => {
    const named = [...text.matchAll(/alertname=~?"([^"]+)"/g)].flatMap(([, names = '']) => names.split('|'));
    const known = new Set(rules.map(({ alert }) => alert));
    expect(named.filter((name) => !known.has(name))).toEqual([]);
  });

  it('keeps back what follows from a database that is down until that is over too', () => {
    const inhibitions = /source_matchers: \[alertname="DatabaseDown"\]\n +target_matchers: \[alertname=~?"([^"]+)"\]/g;
    const names = [...text.matchAll(inhibitions)].flatMap(([, targets = '']) => targets.split('|'));
    expect(names).toEqual(['PollerFailing', 'PollerWithoutLeader']);
    // A query that is asked once a minute succeeds a minute after the first.
    for (const name of names) expect(minutesKept('DatabaseDown'), name).toBeGreaterThan(minutesKept(name) + 1);
  });

  it('has its secrets in files', () => {
    expect(text).toContain('slack_api_url_file:');
    expect(text).toContain('credentials_file:');
    expect(text).not.toMatch(/hooks\.slack\.com|api_url:|credentials:|password/);
  });
});

describe.skipIf(alertmanagerMissing)('a message for Slack', () => {
  it('takes from labels what Slack would read as markup', () => {
    const hostile = raised('RunFailed', 'warning', { roaster: '<!channel> & <https://evil.example|here>' });
    for (const template of ['siphon.title', 'siphon.text']) {
      expect(rendered(template, [hostile])).toContain('&lt;!channel&gt; &amp; &lt;https://evil.example|here&gt;');
      expect(rendered(template, [hostile])).not.toMatch(/[<>]/);
    }
  });

  it('shows ten of many, and their number', () => {
    const queries = Array.from({ length: 12 }, (_, index) =>
      raised('PollerFailing', 'critical', { receiver: 'db_poller', query: `q${index}` }),
    );
    const said = rendered('siphon.text', queries);
    expect(said).toContain('q9 of db_poller has not succeeded for');
    expect(said).not.toContain('q10 of');
    expect(said).toContain('Only 10 of 12 are shown.');
    expect(rendered('siphon.title', queries)).toBe('Critical: The query q0 fails (12 alerts)');
  });

  it('is about those that are not over when some are', () => {
    const [first, second] = ['a', 'b'].map((query) =>
      raised('PollerFailing', 'warning', { receiver: 'db_poller', query }),
    );
    const alerts = [{ ...first!, status: 'resolved' }, second!];
    expect(rendered('siphon.title', alerts)).toBe('Warning: The query b fails');
    expect(rendered('siphon.text', alerts)).toMatch(/^b of db_poller has not succeeded for .*\nOver: 1 of 2\.$/);
  });

  it('fills in the silence, whatever the name of the roaster is', () => {
    const alert = raised('RunFailed', 'warning', { roaster: 'a "b" & c' });
    const url = new URL(rendered('siphon.silence', [alert]));
    expect(new URLSearchParams(url.hash.split('?')[1]).get('filter')).toBe(
      '{alertname="RunFailed",roaster="a "b" & c"}',
    );
  });
});

describe.skipIf(alertmanagerMissing)('a real Alertmanager', () => {
  it('notifies Slack once with texts and links, and once when it is resolved', async () => {
    await using sink = await AlertSink.start();
    await using alertmanager = await AlertmanagerServer.start(sink);
    const labels = { source: 'blue-tokai', roaster: 'blue-tokai' };
    const both = ['warning', 'critical'].map((severity) => raised('FetchErrors', severity, labels));
    await alertmanager.post([...both, raised('RunFailed', 'warning', { roaster: 'blokhaven' })]);

    await waitFor(() => sink.messages.length >= 2, { what: 'both alerts to arrive' });
    expect(sink.messages.map(({ channel }) => channel)).toEqual(['#coffee', '#coffee']);
    expect(sink.titles.toSorted()).toEqual([
      'Critical: Requests to blue-tokai fail',
      'Warning: The latest run of blokhaven failed',
    ]);
    const message = sink.messages.flatMap(({ attachments }) => attachments).find(({ color }) => color === 'danger');
    expect(message).toMatchObject({
      color: 'danger',
      text: '42 of the requests to blue-tokai within 6 hours got no usable response (limit 20%).',
      footer: 'FetchErrors · critical · pipeline',
      title_link: expect.stringContaining('/d/siphon-pipeline?var-roaster=blue-tokai&viewPanel='),
    });
    expect(message?.actions.map(({ text: label, url }) => [label, url.split('?')[0]])).toEqual([
      [
        'Runbook',
        expect.stringMatching(
          /^https:\/\/unpkg\.com\/siphon-otel@[^/]+\/src\/packs\/scrape-pipeline\/runbooks\/FetchErrors\.md$/,
        ),
      ],
      ['Dashboard', 'http://127.0.0.1:3000/d/siphon-pipeline'],
      ['Sentry', 'https://sentry.io/issues/'],
      ['Silence', `${alertmanager.url}/#/silences/new`],
    ]);

    await alertmanager.post(both.map(over));
    await waitFor(() => sink.titles.includes('Resolved: Requests to blue-tokai fail'), {
      what: 'the resolved notification',
    });
    expect(sink.titles.filter((title) => title.startsWith('Critical'))).toHaveLength(1);
    expect(sink.titles.filter((title) => title.startsWith('Warning: Requests'))).toEqual([]);
  });

  it('sends one message when fifty roasters are overdue for one reason, and one when all are punctual', async () => {
    await using sink = await AlertSink.start();
    await using alertmanager = await AlertmanagerServer.start(sink);
    const roasters = Array.from({ length: 50 }, (_, index) => `roaster-${index}`);
    const overdue = roasters.map((roaster) => raised('PriceRunOverdue', 'warning', { roaster }));
    await alertmanager.post(overdue);
    await waitFor(() => sink.messages.length > 0, { what: 'the message' });
    await alertmanager.post(overdue.map(over));
    await waitFor(() => sink.messages.length > 1, { what: 'the resolved message' });
    await settled(sink, 2);
    expect(sink.titles).toEqual([
      'Warning: The price run of roaster-0 is overdue (50 alerts)',
      'Resolved: The price run of roaster-0 is overdue (50 alerts)',
    ]);
    expect(sink.messages[0]?.attachments[0]?.text).toContain('Only 10 of 50 are shown.');
  });

  it('pages once when the price runs have stopped, and keeps back the fifty that are overdue', async () => {
    await using sink = await AlertSink.start();
    await using alertmanager = await AlertmanagerServer.start(sink);
    const roasters = Array.from({ length: 50 }, (_, index) => `roaster-${index}`);
    await alertmanager.post([
      raised('PriceRunsStopped', 'critical', { instance: 'db_poller' }),
      ...roasters.flatMap((roaster) =>
        ['warning', 'critical'].map((severity) => raised('PriceRunOverdue', severity, { roaster })),
      ),
    ]);
    await settled(sink, 1);
    expect(sink.messages.map(({ channel }) => channel)).toEqual(['#coffee-page']);
    expect(sink.titles).toEqual(['Critical: Price runs have stopped']);
  });

  it('sends one message about a store that is down, and others about other stores', async () => {
    await using sink = await AlertSink.start();
    await using alertmanager = await AlertmanagerServer.start(sink);
    const down = { source: 'blue-tokai', roaster: 'blue-tokai' };
    await alertmanager.post([
      ...['warning', 'critical'].map((severity) => raised('FetchErrors', severity, down)),
      raised('ArtifactErrors', 'critical', { roaster: 'blue-tokai' }),
      raised('RunFailed', 'warning', { roaster: 'blue-tokai' }),
      raised('RunFailed', 'warning', { roaster: 'another' }),
    ]);
    await settled(sink, 2);
    expect(sink.titles.toSorted()).toEqual([
      'Critical: Requests to blue-tokai fail',
      'Warning: The latest run of another failed',
    ]);
  });

  it('keeps back what follows from a database that is down, and lets the watchdog through', async () => {
    await using sink = await AlertSink.start();
    await using alertmanager = await AlertmanagerServer.start(sink);
    await alertmanager.post([
      raised('DatabaseDown', 'critical', { receiver: 'db_poller' }),
      raised('PollerFailing', 'critical', { receiver: 'db_poller', query: 'postgres_health.activity' }),
      raised('PollerWithoutLeader', 'critical', { receiver: 'db_poller' }),
      raised('PollerFailing', 'warning', { receiver: 'db_poller/other', query: 'postgres_health.activity' }),
      raised('SidecarDown', 'critical', { job: 'siphon', instance: 'another' }),
      raised('Watchdog', 'none'),
    ]);
    await waitFor(() => sink.messages.length >= 3 && sink.deadManCalls.length > 0, { what: 'the notifications' });
    expect(sink.titles.toSorted()).toEqual([
      'Critical: The database does not answer',
      'Critical: The sidecar does not answer on another',
      'Warning: The query postgres_health.activity fails',
    ]);
    expect(sink.deadManCalls[0]).toEqual({
      authorization: 'Bearer secret',
      status: 'firing',
      alertnames: ['Watchdog'],
    });
  });
});
