import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, it } from 'vitest';
import { runCommand } from '../../tests/support/processes/run-command.ts';

const HANDLES_SIGHUP = `process.on('SIGHUP', () => process.exit(0)); setInterval(() => {}, 1000); console.log('ready')`;

it('fails if the outcome is unknown, and names the remedy', async () => {
  const child = spawn(process.execPath, ['--eval', HANDLES_SIGHUP], { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(child.stdout, 'data');
  const page = 'http://127.0.0.1:1/metrics';
  const ran = await runCommand(['reload', '--pid', String(child.pid), '--metrics', page]);
  expect(ran).toMatchObject({ exitCode: 1, printed: '' });
  expect(ran.errors).toContain(`the outcome is unknown, because ${page} is not readable`);
  expect(ran.errors).toContain('--metrics');
  await once(child, 'exit');
});

it('reads the address of the page from the configuration', async () => {
  const child = spawn(process.execPath, ['--eval', HANDLES_SIGHUP], { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(child.stdout, 'data');
  const config = `yaml:service: {telemetry: {metrics: {readers: [{pull: {exporter: {prometheus: {port: 1}}}}]}}}`;
  const ran = await runCommand([
    'reload',
    '--pid',
    String(child.pid),
    '--config',
    'otel-collector.yaml',
    '--config',
    config,
  ]);
  expect(ran).toMatchObject({ exitCode: 1, printed: '' });
  expect(ran.errors).toContain('because http://127.0.0.1:1/metrics is not readable');
  await once(child, 'exit');
});
