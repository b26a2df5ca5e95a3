/** Alerts from the sidecar's own rules, through a real Alertmanager as it is shipped, to Slack. */
import { describe, expect, it } from 'vitest';
import { AlertSink } from '../support/alerts/alert-sink.ts';
import { alertmanagerMissing, AlertmanagerServer } from '../support/alerts/alertmanager-server.ts';
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
});
