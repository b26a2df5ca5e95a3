/** Alerts of the sidecar continue after it was restarted or killed. */
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { AlertSink } from '../support/alerts/alert-sink.ts';
import { gaugesRequest } from '../support/otlp/gauges-request.ts';
import { Sidecar } from '../support/processes/sidecar.ts';
import { waitFor } from '../support/wait-for.ts';

const RULES = `
groups:
  - name: rooms
    interval: 1s
    rules:
      - {alert: Hot, expr: level > 0, labels: {severity: critical, level: page}, annotations: {summary: It is hot}}
      - {alert: Slow, expr: absent(nothing), for: 1h}
`;

interface ShownAlert {
  readonly labels: Readonly<Record<string, string>>;
  readonly state: string;
  readonly activeAt: string;
}

test.each(['SIGTERM', 'SIGKILL'] as const)(
  'an alert fires on after %s, and Slack hears of it once',
  { timeout: 120_000 },
  async (signal) => {
    const directory = await mkdtemp(join(tmpdir(), 'siphon-alerts-'));
    const rules = join(directory, 'rules.yaml');
    await writeFile(rules, RULES);
    await using slack = await AlertSink.start();
    const start = async (): Promise<Sidecar> =>
      await Sidecar.start({
        sets: [
          `extensions.file_storage.directory=${directory}`,
          // In any order: the storage starts first.
          'service.extensions=[metrics_history, file_storage, health_check]',
          'extensions.metrics_history.storage=file_storage',
          'extensions.metrics_history.interval=1s',
          'extensions.metrics_history.lookback=20s',
          `extensions.metrics_history.rules={packs: [], rule_files: [${rules}], notify: {slack: {webhook_url: '${slack.url}/slack'}}}`,
        ],
      });
    let before: readonly ShownAlert[];
    {
      await using first = await start();
      const headers = { 'content-type': 'application/x-protobuf' };
      const request = gaugesRequest({ names: ['level'] });
      const answer = await fetch(`${first.otlpHttp}/v1/metrics`, {
        method: 'POST',
        headers,
        body: Buffer.from(request),
      });
      expect(answer.status).toBe(200);
      await waitFor(() => slack.titles.length > 0, { timeoutMs: 30_000, what: 'the message in Slack' });
      // The state is at most one evaluation old.
      await new Promise((resolve) => setTimeout(resolve, 2500));
      before = await alertsOf(first);
      expect(before).toMatchObject([
        { labels: { alertname: 'Hot' }, state: 'firing' },
        { labels: { alertname: 'Slow' }, state: 'pending' },
      ]);
      await first.stop(signal);
    }
    const downMs = Date.now();
    await using second = await start();
    await waitFor(async () => (await alertsOf(second)).length === 2, { what: 'the alerts' });
    const [hot, slow] = await alertsOf(second);
    expect(hot).toMatchObject({ labels: { alertname: 'Hot' }, state: 'firing', activeAt: before[0]?.activeAt });
    // Later by the time without a sidecar.
    const lostMs = Date.parse(slow!.activeAt) - Date.parse(before[1]!.activeAt);
    expect(lostMs).toBeGreaterThan(0);
    expect(lostMs).toBeLessThan(Date.now() - downMs + 3000);
    // A new alert of its level would be in Slack after ten seconds.
    await new Promise((resolve) => setTimeout(resolve, 13_000));
    expect(slack.titles).toHaveLength(1);
    // Its series has not come back.
    await waitFor(async () => (await alertsOf(second)).every(({ labels }) => labels['alertname'] !== 'Hot'), {
      timeoutMs: 30_000,
      what: 'the end of the alert',
    });
  },
);

async function alertsOf(sidecar: Sidecar): Promise<readonly ShownAlert[]> {
  const answer = await fetch(`${sidecar.url({ id: 'metrics_history' })}/api/v1/alerts`);
  return ((await answer.json()) as { readonly data: { readonly alerts: readonly ShownAlert[] } }).data.alerts;
}
