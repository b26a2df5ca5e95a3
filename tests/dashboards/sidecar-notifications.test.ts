/** Alerts from the sidecar's own rules, through a real Alertmanager as it is shipped, to Slack. */
import { describe, expect, it } from 'vitest';
import { AlertSink, type SlackMessage } from '../support/alerts/alert-sink.ts';
import { alertmanagerMissing, AlertmanagerServer, type PostedAlert } from '../support/alerts/alertmanager-server.ts';
import {
  slackMessage,
  type MessageAlert,
} from '../../src/components/extensions/metrics-history/notify/slack-message.ts';
import { labelsOf } from '../../src/promql/labels.ts';
import { RuledHistory } from '../support/history/ruled-history.ts';
import { waitFor } from '../support/wait-for.ts';

if (alertmanagerMissing !== undefined) process.stderr.write(`Notifications are not proved: ${alertmanagerMissing}\n`);

const RULES = `
groups:
  - name: rooms
    rules:
      - alert: RoomFlooded
        expr: level >= 3
        labels: {severity: critical, level: ticket, owner: house}
        annotations:
          summary: 'Room {{ $labels.room }} is flooded'
          description: 'The water in room {{ $labels.room }} is at {{ $value | printf "%.1f" }} (limit 3).'
          runbook_url: https://example.com/RoomFlooded.md
      - {alert: Watchdog, expr: vector(1), labels: {severity: none, owner: house}}
`;

describe.skipIf(alertmanagerMissing !== undefined)('a real Alertmanager', () => {
  it('hears from the sidecar of alerts and of their end, and calls the dead man', async () => {
    await using sink = await AlertSink.start();
    await using alertmanager = await AlertmanagerServer.start(sink);
    await using history = await RuledHistory.start(RULES, {
      keys: { notify: { alertmanagers: [{ url: alertmanager.url }] } },
    });
    await waitFor(() => sink.messages.length > 0 && sink.deadManCalls.length > 0, { what: 'the alerts' });
    expect(sink.titles).toEqual(['Critical: Room 3 is flooded']);
    expect(sink.messages[0]).toMatchObject({
      channel: '#coffee',
      attachments: [
        { text: 'The water in room 3 is at 3.0 (limit 3).', footer: 'RoomFlooded · critical · house', color: 'danger' },
      ],
    });
    expect(sink.deadManCalls[0]).toMatchObject({ status: 'firing', alertnames: ['Watchdog'] });

    history.levels.set('3', 0);
    await waitFor(() => sink.messages.length > 1, { what: 'the end' });
    expect(sink.titles).toEqual(['Critical: Room 3 is flooded', 'Resolved: Room 3 is flooded']);
  });

  it.each([
    ['one alert', [flooded('1')]],
    ['one that is critical', [flooded('1', { severity: 'critical' })]],
    ['twelve', Array.from({ length: 12 }, (_, room) => flooded(String(room), { instance: `host-${room % 3}` }))],
    ['some without a label', [flooded('2', { job: 'b' }), flooded('1'), flooded('3', { job: 'a', owner: 'garden' })]],
    ['markup', [flooded('<!channel> & <https://evil.example|here>')]],
    ['a long title', [flooded('ü'.repeat(1100))]],
  ])('and the sidecar have the same message about %s, and about the end', async (_name, alerts) => {
    await using sink = await AlertSink.start();
    await using alertmanager = await AlertmanagerServer.start(sink);
    await alertmanager.post(alerts);
    await waitFor(() => sink.messages.length === 1, { what: 'the message' });
    expect(withoutSilence(sink.messages[0])).toEqual(slackMessage(alerts.map((alert) => shown(alert, true))));
    if (alerts.length > 1) {
      // The first one is over, and the others fire on.
      await alertmanager.post([over(alerts[0]!)]);
      await waitFor(() => sink.messages.length === 2, { what: 'the message that one is over' });
      expect(withoutSilence(sink.messages[1])).toEqual(
        slackMessage(alerts.map((alert, index) => shown(alert, index > 0))),
      );
    }
    const rest = alerts.length > 1 ? alerts.slice(1) : alerts;
    const before = sink.messages.length;
    await alertmanager.post(rest.map(over));
    await waitFor(() => sink.messages.length > before, { what: 'the end' });
    expect(withoutSilence(sink.messages.at(-1))).toEqual(slackMessage(rest.map((alert) => shown(alert, false))));
  });
});

function flooded(room: string, labels: Readonly<Record<string, string>> = {}): PostedAlert {
  const link = `https://example.com/${encodeURIComponent(room).slice(0, 20)}`;
  return {
    labels: { alertname: 'RoomFlooded', severity: 'warning', level: 'ticket', owner: 'house', room, ...labels },
    annotations: {
      summary: `Room ${room} is flooded`,
      description: `The water in room ${room} is high.`,
      runbook_url: `${link}.md`,
      dashboard_url: `${link}/dashboard`,
      sentry_url: `${link}/sentry`,
    },
  };
}

function over(alert: PostedAlert): PostedAlert {
  return { ...alert, endsAt: new Date(Date.now() - 1000).toISOString() };
}

function shown({ labels, annotations }: PostedAlert, isFiring: boolean): MessageAlert {
  return {
    alert: { labels: labelsOf(Object.entries(labels)), annotations: new Map(Object.entries(annotations)) },
    isFiring,
  };
}

/** A sidecar has no form for silences, and its webhook has the channel. */
function withoutSilence(message: SlackMessage | undefined): unknown {
  const attachments = message?.attachments.map(({ actions, ...attachment }) => ({
    ...attachment,
    // Alertmanager writes it without a value.
    callback_id: undefined,
    actions: actions.filter(({ text }) => text !== 'Silence'),
  }));
  return { attachments };
}
