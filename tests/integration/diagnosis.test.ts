import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { otlpHttpExporter } from '../../src/components/exporters/otlp-http/factory.ts';
import { sentryExporter } from '../../src/components/exporters/sentry/factory.ts';
import { findingsOf } from '../support/components/findings.ts';
import { freePorts } from '../support/network/free-ports.ts';
import { waitFor } from '../support/wait-for.ts';

it('otlp_http looks at the server of each of its signals once, and names what is not set or read', async () => {
  const factory = otlpHttpExporter;
  const endpoint = 'http://127.0.0.1:1';
  const refused = { severity: 'error', what: expect.stringContaining('http://127.0.0.1:1 cannot be reached') };
  expect(await findingsOf(factory, { endpoint }, ['traces', 'metrics'])).toMatchObject([refused]);
  expect(await findingsOf(factory, { traces_endpoint: endpoint }, ['metrics'])).toMatchObject([
    { severity: 'error', what: expect.stringContaining('set endpoint or metrics_endpoint') },
  ]);
  expect(await findingsOf(factory, { endpoint, tls: { ca_file: '/nowhere' } }, ['traces'])).toMatchObject([
    { severity: 'error', what: expect.stringContaining('/nowhere cannot be read') },
  ]);
});

it('sentry looks at where its dsn leads, and does not reveal the key', async () => {
  const factory = sentryExporter;
  expect(await findingsOf(factory, { dsn: '' })).toMatchObject([{ severity: 'warning', repair: 'Set dsn' }]);
  const [found] = await findingsOf(factory, { dsn: 'http://publickey@127.0.0.1:1/7' });
  expect(found).toMatchObject({
    severity: 'error',
    what: expect.stringContaining('http://127.0.0.1:1 cannot be reached'),
  });
  expect(JSON.stringify(found)).not.toContain('publickey');
});

it('examines the port of its own metrics, and ends quietly when its output is not read to the end', async () => {
  await using server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const command = [
    process.execPath,
    'src/main.ts',
    'doctor',
    '--set',
    `service.telemetry.metrics.readers=${READER}${port}}}}}]`,
  ];
  const shell = async (end: string): Promise<{ stdout: string; stderr: string }> =>
    await promisify(execFile)('sh', ['-c', `"$@" ${end}`, 'sh', ...command]);
  const { stdout } = await shell('; true');
  const by = process.platform === 'linux' ? ` by process ${process.pid} \\(node\\), which is not siphon` : '';
  expect(stdout).toMatch(new RegExp(`warning +service::telemetry +127.0.0.1:${port} is already in use${by}`));
  for (const end of ['2>&1 | head -n 1', '| true']) expect((await shell(end)).stderr, end).toBe('');
});

it.runIf(process.platform === 'linux')(
  'knows the sidecar that runs with this configuration, and another program',
  async () => {
    await using stack = new AsyncDisposableStack();
    const directory = await mkdtemp(path.join(tmpdir(), 'siphon-ports-'));
    stack.defer(() => rm(directory, { recursive: true, force: true }));
    const [port, metrics] = (await freePorts(2)) as [number, number];
    const write = async (name: string): Promise<string> => {
      await writeFile(
        path.join(directory, name),
        `receivers: { otlp: { protocols: { http: { endpoint: 127.0.0.1:${port} } } } }
exporters: { debug: }
service:
  telemetry: { metrics: { readers: ${READER}${metrics}}}}}] } }
  pipelines: { traces: { receivers: [otlp], exporters: [debug] } }`,
      );
      return path.join(directory, name);
    };
    const [file, other] = [await write('a.yaml'), await write('b.yaml')];
    const sidecar = spawn(process.execPath, ['src/main.ts', 'run', `--config=${file}`], { stdio: 'ignore' });
    stack.defer(async () => {
      sidecar.kill();
      await once(sidecar, 'exit');
    });
    await waitFor(async () => (await fetch(`http://127.0.0.1:${metrics}/metrics`).catch(() => undefined))?.ok, { what: 'its start' }); // prettier-ignore
    const own = await diagnosed(file);
    for (const taken of [port, metrics])
    expect(own).toMatch(new RegExp(`ok .* 127.0.0.1:${taken} is in use by the sidecar with this configuration, process ${sidecar.pid}`)); // prettier-ignore
    expect(own).toMatch(/0 errors, 0 warnings/);
    expect(await diagnosed(other)).toMatch(
      new RegExp(
        `warning .* 127.0.0.1:${port} is already in use by siphon with other arguments, process ${sidecar.pid}`,
      ),
    );
  },
);

async function diagnosed(config: string): Promise<string> {
  const args = [path.resolve('src/main.ts'), 'doctor', '--config', config];
  return (await promisify(execFile)(process.execPath, args)).stdout;
}

const READER = '[{pull: {exporter: {prometheus: {port: ';

it('reports a full disk below file_storage as an error', async (context) => {
  const directory = await mkdtemp(path.join(tmpdir(), 'siphon-full-'));
  await using stack = new AsyncDisposableStack();
  stack.defer(() => rm(directory, { recursive: true, force: true }));
  const file = path.join(directory, 'c.yaml');
  const disk = path.join(directory, 'disk');
  await writeFile(
    file,
    `receivers: { otlp: { protocols: { http: { endpoint: 127.0.0.1:0 } } } }
exporters: { debug: }
extensions: { file_storage: { directory: ${disk}, max_size_mib: 1 } }
service:
  extensions: [file_storage]
  telemetry: { metrics: { level: none } }
  pipelines: { traces: { receivers: [otlp], exporters: [debug] } }`,
  );
  const script = (size: string): string =>
    `mkdir -p '${disk}' && mount -t tmpfs -o size=${size} none '${disk}' || exit 9; exec "$@"`;
  const doctor = async (size: string): Promise<string> => {
    const args = ['--user', '--map-root-user', '--mount', 'sh', '-c', script(size), 'sh'];
    const command = [process.execPath, 'src/main.ts', 'doctor', '--config', file];
    return await promisify(execFile)('unshare', [...args, ...command]).then(
      ({ stdout }) => `0 ${stdout}`,
      ({ code, stdout }: { code: unknown; stdout: string }) => `${String(code)} ${stdout}`,
    );
  };
  const full = await doctor('128k');
  if (!/^[01] \w/.test(full)) return context.skip('this system lets us mount no small disk');
  expect(full).toMatch(/^1 [^]*error +extensions::file_storage +.*disk has no free space: counters/);
  expect(await doctor('8m')).toMatch(/^0 [^]*ok +extensions::file_storage +.*has 8 MiB free/);
});
