/** npx and `npm run` end on a signal without passing it on. What they started must not stay behind and keep ports. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { expect, it } from 'vitest';
import { InstalledProject } from '../support/processes/installed-project.ts';
import { waitFor } from '../support/wait-for.ts';

const CONFIG = `receivers: {otlp: {protocols: {http: {endpoint: 127.0.0.1:0}}}}
exporters: {debug: {}}
service:
  pipelines: {metrics: {receivers: [otlp], exporters: [debug]}}
  telemetry: {logs: {encoding: json}, metrics: {level: none}}
`;

it('ends a preview of the dashboards after SIGTERM to npx', async () => {
  await using project = await InstalledProject.create();
  const launcher = spawn('npx', ['siphon-otel', 'dashboards', 'preview'], {
    cwd: project.folder,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const [url] = (await once(createInterface({ input: launcher.stdout }), 'line')) as [string];
  expect((await fetch(`${url}console.css`)).status).toBe(200);

  launcher.kill('SIGTERM');
  await once(launcher.stdout, 'close');
  await expect(fetch(url)).rejects.toThrow();
});

it('ends the command of siphon dev after SIGTERM to npx', async () => {
  await using project = await InstalledProject.create();
  const service = `setInterval(() => {}, 1000); console.log('up')`;
  const launcher = spawn('npx', ['siphon-otel', 'dev', '--', process.execPath, '--eval', service], {
    cwd: project.folder,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  await once(createInterface({ input: launcher.stdout }), 'line');
  launcher.kill('SIGTERM');
  await once(launcher.stdout, 'close');
});

it.each([
  ['npx', ['siphon-otel', 'run']],
  ['npm', ['run', 'sidecar']],
])('ends after SIGTERM to %s %j', async (program, args) => {
  await using project = await InstalledProject.create();
  await project.write('otel-collector.yaml', CONFIG);
  await project.write('package.json', JSON.stringify({ private: true, scripts: { sidecar: 'siphon-otel run' } }));
  const launcher = spawn(program, args, { cwd: project.folder, stdio: ['ignore', 'ignore', 'pipe'] });
  const lines: string[] = [];
  createInterface({ input: launcher.stderr }).on('line', (line) => lines.push(line));
  await waitFor(() => lines.some((line) => line.includes('Everything is ready')), { what: 'the start' });

  launcher.kill('SIGTERM');
  await once(launcher, 'exit');
  // The pipe closes when the last process that holds it has ended.
  await once(launcher.stderr, 'close');
  const messages = lines.flatMap((line) => (line.startsWith('{') ? [(JSON.parse(line) as { msg: string }).msg] : []));
  expect(messages.filter((text) => /ended|signal/.test(text))).toEqual([
    'The npm command that started siphon has ended, shutting down',
  ]);
});
