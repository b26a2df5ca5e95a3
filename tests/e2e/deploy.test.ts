/** The shipped systemd unit and Dockerfile: their commands, as written, in a project with the packed package. */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePort } from '../../examples/postgres/free-port.ts';
import { InstalledProject } from '../support/processes/installed-project.ts';
import { waitFor } from '../support/wait-for.ts';

const read = async (file: string): Promise<string> =>
  await readFile(new URL(`../../deploy/${file}`, import.meta.url), 'utf8');

describe('deploy', () => {
  let project: InstalledProject;

  beforeAll(async () => {
    project = await InstalledProject.create();
    const healthPort = await freePort(0);
    await project.write(
      'otel-collector.yaml',
      `receivers: {otlp: {protocols: {http: {endpoint: 127.0.0.1:0}}}}
exporters: {debug: {}}
extensions:
  health_check: {endpoint: 127.0.0.1:${healthPort}}
  file_storage: {directory: '\${env:SIPHON_STORAGE_DIRECTORY}', create_directory: true}
service:
  extensions: [health_check, file_storage]
  pipelines: {metrics: {receivers: [otlp], exporters: [debug]}}
  telemetry: {metrics: {level: none}}
`,
    );
  });
  afterAll(() => project[Symbol.asyncDispose]());

  const environment = (): NodeJS.ProcessEnv => ({
    PATH: process.env['PATH'],
    SIPHON_STORAGE_DIRECTORY: path.join(project.folder, 'storage'),
  });

  const start = async (command: string, args: readonly string[]): Promise<ChildProcess> => {
    const child = spawn(command, args, {
      cwd: project.folder,
      env: environment(),
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const lines: string[] = [];
    createInterface({ input: child.stderr }).on('line', (line) => lines.push(line));
    await waitFor(() => lines.some((line) => line.includes('Everything is ready')), { what: 'the start' });
    return child;
  };

  it('has a systemd unit whose command runs until SIGTERM', async () => {
    const unit = (await read('systemd/siphon.service')).replaceAll('/srv/shop', project.folder);
    const [command = '', ...args] = /^ExecStart=(.*)$/m.exec(unit)?.[1]?.split(' ') ?? [];
    expect(await stop(await start(command, args))).toBe(0);
    await project.write('siphon.service', unit);
    const verified = spawnSync('systemd-analyze', ['verify', path.join(project.folder, 'siphon.service')], {
      encoding: 'utf8',
    });
    if (verified.error === undefined) expect(verified).toMatchObject({ status: 0, stdout: '', stderr: '' });
  });

  it('has a Dockerfile whose command runs, with a health check that follows it, as a user of its own', async () => {
    const dockerfile = await read('docker/Dockerfile');
    const list = (instruction: RegExp): string[] => JSON.parse(instruction.exec(dockerfile)?.[1] ?? '[]') as string[];
    const [command = '', ...entry] = list(/^ENTRYPOINT (.*)$/m);
    const [check = '', ...checkArgs] = list(/^HEALTHCHECK [^]*?^ {2}CMD (.*)$/m);
    const isHealthy = (): boolean =>
      spawnSync(check, checkArgs, { cwd: project.folder, env: environment() }).status === 0;

    const child = await start(command, [...entry, ...list(/^CMD (.*)$/m)]);
    expect(isHealthy()).toBe(true);
    expect(await stop(child)).toBe(0);
    expect(isHealthy()).toBe(false);
    expect(dockerfile).toMatch(/^USER 65532:65532$/m);
  });

  it('configures the C library in the same way everywhere', async () => {
    const running = await readFile(new URL('../../docs/running.md', import.meta.url), 'utf8');
    const [unit, dockerfile] = await Promise.all([read('systemd/siphon.service'), read('docker/Dockerfile')]);
    const variables = /^(?:export |ENV |Environment=)(MALLOC_.*)$/m;
    const [first, ...others] = [running, unit, dockerfile].map((text) => variables.exec(text)?.[1]);
    expect(first).toBeDefined();
    expect(others).toEqual([first, first]);
  });
});

/** The exit code after SIGTERM. */
async function stop(child: ChildProcess): Promise<unknown> {
  child.kill('SIGTERM');
  const [code] = await once(child, 'exit');
  return code;
}
