import { expect, it } from 'vitest';
import { alertList, silenceAddress } from './alerts.ts';
import { alertsText } from './text/alerts-text.ts';

const alert = (alertname: string, severity: string, state: string, minute: number) => ({
  labels: { alertname, severity, room: '1' },
  annotations: { summary: `${alertname}\u001B[2J happens`, runbook_url: `https://example.com/${alertname}.md` },
  state,
  activeAt: `2026-01-31T12:0${minute}:00Z`,
  value: '2.5e+00',
});

const rule = { type: 'alerting', query: 'level > 2', health: 'ok', labels: { severity: 'warning' } } as const;

const answer = {
  groups: [
    {
      name: 'g',
      rules: [
        { ...rule, name: 'Watchdog', alerts: [alert('Watchdog', 'none', 'firing', 0)] },
        { ...rule, name: 'Waits', alerts: [alert('Waits', 'critical', 'pending', 3)] },
        {
          ...rule,
          name: 'Warns',
          alerts: [alert('Old', 'warning', 'firing', 1), alert('New', 'warning', 'firing', 2)],
        },
        { ...rule, name: 'Bad', alerts: [alert('Bad', 'critical', 'firing', 1)] },
        { ...rule, name: 'Fails', health: 'err', lastError: 'too many series' },
        { ...rule, name: 'Young', reach: 108_000, seen: 7200 },
      ],
    },
  ],
};

it('lists what fires before what is pending, and severe and new alerts first', () => {
  const { alerts, broken, young, rules } = alertList(answer);
  expect(alerts.map(({ labels }) => labels['alertname'])).toEqual(['Bad', 'New', 'Old', 'Waits', 'Watchdog']);
  expect([broken, young].map((some) => some.map(({ name }) => name))).toEqual([['Fails'], ['Young']]);
  expect(rules).toBe(6);
});

it('has the same as text, without control characters', () => {
  const text = alertsText(answer, Date.parse('2026-01-31T12:05:00Z'));
  expect(text).toContain('6 alert rules: 4 firing, 1 pending');
  expect(text).toContain('FIRING   critical  Bad  since 4 min  Bad\u{FFFD}[2J happens');
  expect(text).toContain('  value 2.5  room=1');
  expect(text).toContain('  https://example.com/Bad.md');
  expect(text).toContain('Fails  too many series');
  expect(text).toContain('Young  reads back 1.25 d, has 2 h');
});

it('leads to a silence of one alert, whatever its labels contain', () => {
  const labels = { alertname: 'A', text: '"},{x="\\&#' };
  const address = silenceAddress('http://127.0.0.1:9093/am', { labels });
  expect(address).toMatch(/^http:\/\/127\.0\.0\.1:9093\/am\/#\/silences\/new\?filter=%7Balertname%3D%22A%22%2C/);
  const filter = decodeURIComponent(address.split('filter=')[1] ?? '');
  expect(filter).toBe('{alertname="A",text="\\"},{x=\\"\\\\&#"}');
});
