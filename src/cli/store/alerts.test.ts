import { expect, it } from 'vitest';
import { RuledHistory } from '../../../tests/support/history/ruled-history.ts';
import { runCommand } from '../../../tests/support/processes/run-command.ts';

const RULES = `groups: [{name: g, rules: [{alert: High, expr: level > 2, annotations: {summary: Too high}}]}]`;

it('lists the alerts of a running sidecar, as lines or as JSON', async () => {
  await using history = await RuledHistory.start(RULES);
  await expect.poll(() => history.ask('alerts'), { timeout: 10_000 }).toMatchObject({ alerts: [{}] });
  const { printed, exitCode } = await runCommand(['alerts', '--url', history.url]);
  expect(exitCode).toBe(0);
  expect(printed).toMatch(
    /^1 alert rule: 1 firing, 0 pending\n\nFIRING .* High {2}since .* Too high\n {2}value 3 {2}room=3$/,
  );
  const json = await runCommand(['alerts', '--json', '--url', history.url]);
  expect(JSON.parse(json.printed)).toMatchObject({ labels: { alertname: 'High', room: '3' }, state: 'firing' });
});

it('names the component that is missing, and an address without a sidecar', async () => {
  const without =
    'yaml:{receivers: {otlp: {protocols: {http: }}}, exporters: {debug: }, service: {pipelines: {traces: {receivers: [otlp], exporters: [debug]}}}}';
  const missing = await runCommand(['alerts', '--config', without]);
  expect(missing).toMatchObject({ exitCode: 1, errors: expect.stringContaining('no metrics_history') as string });
  const silent = await runCommand(['alerts', '--url', 'http://127.0.0.1:1']);
  expect(silent).toMatchObject({ exitCode: 1, errors: expect.stringContaining('no sidecar answers') as string });
});
