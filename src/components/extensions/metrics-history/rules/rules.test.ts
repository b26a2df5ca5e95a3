import { expect, it, test } from 'vitest';
import { RuledHistory } from '../../../../../tests/support/history/ruled-history.ts';

const PACK_RULES = `
groups:
  - name: packs
    rules: [{record: 'level:sum', expr: sum(level)}]
`;

const HIGH = `
groups:
  - name: rooms
    rules:
      - alert: High
        expr: level >= 2
        labels: {severity: warning, floor: 'of {{ $labels.room }}'}
        annotations: {summary: '{{ $value }} in room {{ $labels.room }}'}
      - {alert: All, expr: 'level:sum > 5', for: 1h}
      - {alert: NotScraped, expr: absent(up)}
`;

it('evaluates rules of packs and of files, and answers as Prometheus does', async () => {
  await using history = await RuledHistory.start(HIGH, { packs: [{ name: 'packs', text: PACK_RULES }] });
  await expect
    .poll(() => history.ask('alerts'), { timeout: 10_000 })
    .toMatchObject({
      alerts: [
        {
          labels: { alertname: 'High', room: '2', severity: 'warning', floor: 'of 2' },
          annotations: { summary: '2 in room 2' },
          state: 'firing',
          activeAt: expect.any(String) as string,
          value: '2e+00',
        },
        { labels: { room: '3' }, value: '3e+00' },
        { labels: { alertname: 'All' }, state: 'pending', value: '6e+00' },
      ],
    });
  expect(await history.ask('rules?type=alert')).toMatchObject({
    groups: [
      {
        name: 'rooms',
        interval: 1,
        rules: [
          { name: 'High', state: 'firing', health: 'ok', type: 'alerting', alerts: [{}, {}] },
          { name: 'All', state: 'pending', duration: 3600, keepFiringFor: 0, query: 'level:sum > 5' },
          {
            name: 'NotScraped',
            state: 'inactive',
            health: 'unknown',
            lastError: expect.stringContaining('reads up') as string,
          },
        ],
      },
    ],
  });
  expect(await history.ask('rules?type=record')).toMatchObject({
    groups: [{ file: 'packs', rules: [{ type: 'recording' }] }],
  });
  expect(await history.ask('query?query=level:sum')).toMatchObject({ result: [{ metric: { __name__: 'level:sum' } }] });
  expect(await history.ask('query?query=ALERTS{alertstate="pending"}')).toMatchObject({
    result: [{ metric: { __name__: 'ALERTS', alertname: 'All', alertstate: 'pending' } }],
  });
  expect(await history.page()).toContain('siphon_rules{extension="metrics_history"} 4\n');
  expect(await history.page()).toContain('siphon_rules_failing{extension="metrics_history"} 0\n');
});

it('reports a rule that fails, once in the log, and keeps evaluating the others', async () => {
  await using history = await RuledHistory.start(
    'groups: [{name: g, rules: [{alert: Many, expr: level > 0}, {alert: One, expr: level > 2}]}]',
    { keys: { limit: 2 } },
  );
  await expect
    .poll(() => history.ask('alerts'), { timeout: 10_000 })
    .toMatchObject({ alerts: [{ labels: { alertname: 'One' } }] });
  expect(await history.ask('rules?rule_name[]=Many')).toMatchObject({
    groups: [{ rules: [{ health: 'err', lastError: 'the rule has 3 alerts, and its limit is 2' }] }],
  });
  await expect.poll(() => history.page()).toContain('siphon_rules_failing{extension="metrics_history"} 1\n');
  expect(history.lines.filter(({ msg }) => msg === 'Rules cannot be evaluated')).toHaveLength(1);
});

test.each([
  ['groups: [{name: g, rules: [{alert: A, expr: "rate(up)"}]}]', 'rules.yaml:1: group g: alert A: expr'],
  ['groups: [{name: g, interval: 500ms, rules: []}]', 'shorter than the interval of the history'],
])('does not start with %s', async (rules, problem) => {
  await expect(RuledHistory.start(rules)).rejects.toThrow(problem);
});
