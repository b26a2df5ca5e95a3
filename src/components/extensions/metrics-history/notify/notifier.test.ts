import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import * as v from 'valibot';
import { it } from 'vitest';
import { metricsHistoryConfig } from '../config.ts';
import { RuledHistory } from '../../../../../tests/support/history/ruled-history.ts';

// These tests wait most of the time. Each needs an `expect` of its own.

interface Posted {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly startsAt: string;
  readonly endsAt: string;
}

/** Accepts alerts like an Alertmanager, after it has failed some times. */
async function alertmanager(failures = 0) {
  const requests: {
    readonly path: string;
    readonly headers: IncomingHttpHeaders;
    readonly alerts: readonly Posted[];
  }[] = [];
  let left = failures;
  const server = createServer((request, response) => {
    void json(request).then((alerts) => {
      if (left-- > 0) return response.writeHead(500).end('no: hunter2');
      requests.push({ path: request.url ?? '', headers: request.headers, alerts: alerts as readonly Posted[] });
      return response.end();
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    requests,
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

function validMs({ startsAt, endsAt }: Posted): number {
  return Date.parse(endsAt) - Date.parse(startsAt);
}

const RULES = `
groups:
  - name: rooms
    rules:
      - {alert: High, expr: level >= 3, annotations: {summary: 'Room {{ $labels.room }} is at {{ $value }}'}}
      - {alert: Pending, expr: level >= 2, for: 1h}
`;

it.concurrent(
  'sends alerts that fire, with credentials, and their end once',
  { timeout: 30_000 },
  async ({ expect }) => {
    await using receiver = await alertmanager();
    await using history = await RuledHistory.start(RULES, {
      keys: {
        notify: {
          alertmanagers: [{ url: `http://siphon:s%40cret@${receiver.host}/am/`, headers: { 'x-scope': 'a' } }],
        },
      },
    });
    await expect.poll(() => receiver.requests.length, { timeout: 10_000 }).toBe(1);
    const [first] = receiver.requests;
    expect(first?.path).toBe('/am/api/v2/alerts');
    expect(first?.headers).toMatchObject({
      authorization: `Basic ${Buffer.from('siphon:s@cret').toString('base64')}`,
      'x-scope': 'a',
    });
    expect(first?.alerts).toMatchObject([
      { labels: { alertname: 'High', room: '3' }, annotations: { summary: 'Room 3 is at 3' } },
    ]);
    expect(validMs(first!.alerts[0]!)).toBeGreaterThanOrEqual(240_000);

    history.levels.set('3', 0);
    await expect.poll(() => receiver.requests.length, { timeout: 10_000 }).toBe(2);
    expect(Date.parse(receiver.requests[1]!.alerts[0]!.endsAt)).toBeLessThanOrEqual(Date.now());
    await new Promise((resolve) => setTimeout(resolve, 2500));
    expect(receiver.requests).toHaveLength(2);
    expect(await history.page()).toContain('siphon_rules_notifications_sent{extension="metrics_history"} 2\n');
  },
);

it.concurrent('repeats alerts that fire', async ({ expect }) => {
  await using receiver = await alertmanager();
  await using history = await RuledHistory.start(RULES, {
    keys: { notify: { alertmanagers: [{ url: `http://${receiver.host}` }], resend_interval: '1s' } },
  });
  await expect.poll(() => receiver.requests.length, { timeout: 10_000 }).toBeGreaterThan(1);
  expect(receiver.requests[1]?.alerts).toMatchObject([{ labels: { alertname: 'High' } }]);
  expect(await history.page()).toContain('siphon_rules_notifications_failed{extension="metrics_history"} 0\n');
});

it.concurrent('tries again, logs one incident without secrets, and counts', async ({ expect }) => {
  await using receiver = await alertmanager(2);
  await using history = await RuledHistory.start(RULES, {
    keys: { notify: { alertmanagers: [{ url: `http://siphon:s%40cret@${receiver.host}` }] } },
  });
  await expect.poll(() => receiver.requests.length, { timeout: 20_000 }).toBe(1);
  await expect.poll(() => history.lines.map(({ msg }) => msg)).toContain('Alerts reach Alertmanager again');
  const failing = history.lines.filter(({ msg }) => msg === 'Alerts do not reach Alertmanager');
  expect(failing).toMatchObject([{ alertmanager: `http://${receiver.host}` }]);
  expect(JSON.stringify(history.lines)).not.toMatch(/cret|hunter2/);
  expect(await history.page()).toContain('siphon_rules_notifications_failed{extension="metrics_history"} 2\n');
});

const PAGED = `
groups:
  - name: rooms
    rules:
      - alert: High
        expr: level >= 3
        labels: {severity: critical, level: page, owner: house}
        annotations: {summary: 'Room {{ $labels.room }} is high', description: 'It is at {{ $value }}.'}
`;

it.concurrent(
  'sends messages to Slack itself, when Slack asks for less later, and never shows its address',
  { timeout: 40_000 },
  async ({ expect }) => {
    const requests: { readonly atMs: number; readonly path: string | undefined; readonly body: unknown }[] = [];
    const server = createServer((request, response) => {
      void json(request).then((body) => {
        requests.push({ atMs: performance.now(), path: request.url, body });
        if (requests.length === 1) response.writeHead(429, { 'retry-after': '7' });
        return response.end('hunter2');
      });
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const webhook = `http://127.0.0.1:${(server.address() as AddressInfo).port}/services/T0/s3cret`;
    await using history = await RuledHistory.start(PAGED, { keys: { notify: { slack: { webhook_url: webhook } } } });
    await expect.poll(() => requests.length, { timeout: 30_000 }).toBe(2);
    server.closeAllConnections();
    server.close();
    const [refused, accepted] = requests;
    expect(accepted!.atMs - refused!.atMs).toBeGreaterThan(6900);
    expect(accepted).toMatchObject({
      path: '/services/T0/s3cret',
      body: {
        attachments: [
          {
            title: 'Critical: Room 3 is high',
            text: 'It is at 3.',
            color: 'danger',
            footer: 'High · critical · house',
          },
        ],
      },
    });
    await expect.poll(() => history.lines.map(({ msg }) => msg)).toContain('Alerts reach Slack again');
    expect(history.lines.filter(({ msg }) => msg === 'Alerts do not reach Slack')).toHaveLength(1);
    expect(JSON.stringify(history.lines)).not.toMatch(/s3cret|hunter2|services/);
    expect(await history.page()).toContain('siphon_rules_notifications_failed{extension="metrics_history"} 1\n');
    expect(await history.page()).toContain('siphon_rules_notifications_sent{extension="metrics_history"} 1\n');
  },
);

const HOSTILE = `
groups:
  - name: rooms
    rules:
      - {alert: Told, expr: level >= 3, labels: {severity: warning, code: '500'}, annotations: {summary: 'v {{ $labels.room }}', description: 'd {{ $labels.room }}'}}
`;
/** Two alerts that differ only in a secret. */
const rooms = ['LblSecret1', 'LblSecret2'].map(
  (secret) => `x password=${secret} https://u:LblPw2@h/ \u001B[2J\u0000\u202E\u2066 y`,
);
const CLEAN = 'x password=[Filtered] https://[Filtered]@h/ \u{FFFD}[2J\u{FFFD}\u{FFFD}\u{FFFD} y';

it.concurrent(
  'shows and sends alerts without secrets and control characters',
  { timeout: 30_000 },
  async ({ expect }) => {
    await using receiver = await alertmanager();
    const [first = '', second = ''] = rooms;
    await using history = await RuledHistory.start(HOSTILE, {
      levels: { [first]: 3, [second]: 3 },
      keys: {
        notify: {
          alertmanagers: [{ url: `http://${receiver.host}` }],
          resend_interval: '1s',
        },
      },
    });
    const posted = { labels: { alertname: 'Told', code: '500', room: CLEAN }, annotations: { summary: `v ${CLEAN}` } };
    await expect.poll(() => receiver.requests.length, { timeout: 10_000 }).toBeGreaterThan(0);
    expect(receiver.requests[0]?.alerts).toMatchObject([posted, posted]);
    expect(await history.ask('alerts')).toMatchObject({ alerts: [posted, posted] });
    expect(await history.ask('rules')).toMatchObject({ groups: [{ rules: [{ alerts: [posted, posted] }] }] });

    history.levels.set(second, 0);
    await expect.poll(() => history.ask('alerts'), { timeout: 10_000 }).toMatchObject({ alerts: [posted] });
    const known = receiver.requests.length;
    await expect.poll(() => receiver.requests.length, { timeout: 10_000 }).toBeGreaterThan(known + 1);
    const validities = receiver.requests.flatMap(({ alerts }) => alerts.map(validMs));
    expect(Math.min(...validities), 'no end while one of both fires').toBeGreaterThanOrEqual(4000);

    history.levels.set(first, 0);
    const isOver = (): boolean =>
      receiver.requests.at(-1)?.alerts.some(({ endsAt }) => Date.parse(endsAt) <= Date.now()) ?? false;
    await expect.poll(isOver, { timeout: 10_000 }).toBe(true);
    const page = JSON.stringify([receiver.requests, await history.ask('rules'), history.lines]);
    expect(page).not.toMatch(/LblSecret|LblPw2|u001b|u202e|u2066|u0000/i);
  },
);

it.for<readonly [unknown, string]>([
  [{}, 'must name at least one Alertmanager, or slack'],
  [{ slack: { webhook_url: 'ftp://s3cret' } }, 'must be the URL of an incoming webhook'],
])('refuses notify: %j', ([notify, problem], { expect }) => {
  const { issues = [] } = v.safeParse(metricsHistoryConfig, { rules: { notify } });
  expect(issues.map(({ message }) => message).join()).toContain(problem);
  expect(issues.map(({ message }) => message).join()).not.toContain('s3cret');
});
