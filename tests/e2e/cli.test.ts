import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text as readText } from 'node:stream/consumers';
import { afterAll, describe, expect, it } from 'vitest';
import { siphon, spawnBuilt } from '../support/processes/run-built-command.ts';
import { Sidecar } from '../support/processes/sidecar.ts';

const folder = mkdtempSync(join(tmpdir(), 'siphon-cli-'));
afterAll(() => rmSync(folder, { recursive: true }));

function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

const FIVE_MISTAKES = `receivers:
  otlp:
    protocols:
      http:
        endpoint: nowhere
        max_body: 3
processors:
  batch:
    timeout: soon
exporters:
  prometheus:
    endpoint: 127.0.0.1:8000
  promethesu:
service:
  pipelines:
    metrics:
      receivers: [otlp]
      processors: [batch]
      exporters: [prometheus, sentry]
`;

function polling(datasource: string): string {
  return `receivers:
  db_poller:
    datasource: ${datasource}
    packs: {postgres_health: {}}
exporters:
  debug:
service:
  telemetry: {metrics: {level: none}}
  pipelines:
    metrics: {receivers: [db_poller], exporters: [debug]}
`;
}

describe('siphon doctor', () => {
  it('prints the problem and the fix in one line without the password, and exits 1', async () => {
    const path = file('away.yaml', polling('postgresql://siphon:hunter2secret@127.0.0.1:1/coffee'));
    const { exitCode, stdout, stderr } = await siphon(['doctor', '--config', path]);
    expect(exitCode).toBe(1);
    expect(stdout.split('\n')).toEqual([
      expect.stringMatching(
        /^error    receivers::db_poller  cannot connect: cannot reach the database; check host, port/,
      ),
      '1 error, 0 warnings, 0 ok',
      '',
    ]);
    expect(stderr).toBe('');
    expect(stdout).not.toContain('hunter2');
  });

  it('exits 0 where there is nothing worse than a warning', async () => {
    const { exitCode, stdout } = await siphon(['doctor', '--config', file('off.yaml', polling("''"))]);
    expect({ exitCode, stdout }).toEqual({
      exitCode: 0,
      stdout: 'warning  receivers::db_poller  is off: datasource is empty. Set datasource\n0 errors, 1 warning, 0 ok\n',
    });
  });

  it('names the problems of a configuration as validate does', async () => {
    expect(await siphon(['doctor', '--config', file('five.yaml', FIVE_MISTAKES)])).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('problems in the configuration'),
    });
    expect(await siphon(['doctor', '--help'])).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('--set') });
  });
});

describe('siphon validate', () => {
  it('passes the shipped file, with nothing set', async () => {
    const { exitCode, stdout, stderr } = await siphon(['validate', '--config', 'otel-collector.yaml']);
    expect({ exitCode, stdout }).toEqual({
      exitCode: 0,
      stdout: 'The configuration is valid. Pipelines: metrics, traces, logs\n',
    });
    expect(stderr).not.toMatch(/error/i);
  });

  it('lists all five mistakes of a file, each with its line and path, and exits 1', async () => {
    const path = file('five.yaml', FIVE_MISTAKES);
    const { exitCode, stderr } = await siphon(['validate', '--config', path]);
    expect(exitCode).toBe(1);
    const places = [...stderr.matchAll(/^.*five\.yaml:(\d+) ([\w:/]+): /gm)].map(([, line, at]) => `${line} ${at}`);
    expect(places).toEqual([
      '5 receivers::otlp::protocols::http::endpoint',
      '6 receivers::otlp::protocols::http::max_body',
      '9 processors::batch::timeout',
      '13 exporters::promethesu',
      expect.stringMatching(/^19 service::pipelines::metrics::exporters/),
    ]);
    expect(stderr).toContain('prometheus');
  });

  it('names a file that cannot be read', async () => {
    const { exitCode, stderr } = await siphon(['validate', '--config', join(folder, 'absent.yaml')]);
    expect(exitCode).toBe(1);
    expect(stderr).toContain('absent.yaml');
  });

  it('lists the mistakes of rule files, as doctor and the start do', async () => {
    const rules = file(
      'rules.yaml',
      'groups:\n  - name: jobs\n    rules:\n      - alert: Late\n        expr: raet(jobs[5m]) > 1\n        for: soon\n',
    );
    const sets = ['--set', `extensions.metrics_history.rules={packs: [], rule_files: [${rules}]}`];
    const args = ['--config', 'otel-collector.yaml', ...sets];
    const { exitCode, stderr } = await siphon(['validate', ...args]);
    const lines = [
      `${rules}:5: group jobs: alert Late: expr: character 5: siphon does not have the function raet (did you mean rate?)`,
      `${rules}:6: group jobs: alert Late: for must be a duration such as 90s, 5m or 1h`,
    ];
    expect({ exitCode, stderr }).toEqual({
      exitCode: 1,
      stderr: `${lines.join('\n')}\n2 problems in the configuration\n`,
    });
    const found = (await siphon(['doctor', ...args])).stdout.split('\n').filter((line) => line.includes('jobs'));
    expect(found).toEqual(lines.map((line) => expect.stringMatching(/^error /) && expect.stringContaining(line)));
    const [, ...set] = sets;
    const start = await Sidecar.start({ sets: set }).catch((error: unknown) => (error as Error).message);
    for (const line of lines) expect(start).toContain(line);
  });

  it('names the variable behind a value that is missing', async () => {
    const path = file('unset.yaml', FIVE_MISTAKES.replace('nowhere', '${env:NO_SUCH_ENDPOINT}'));
    const { stderr } = await siphon(['validate', '--config', path]);
    expect(stderr).toMatch(/:5 .*NO_SUCH_ENDPOINT/);
  });
});

describe('siphon print-config', () => {
  it('shows the merged configuration, --set last, and no secret', async () => {
    const override = file('override.yaml', 'processors: {batch: {timeout: 3s}}');
    const args = [
      '--config',
      'otel-collector.yaml',
      '--config',
      override,
      '--set',
      'exporters.prometheus.namespace=coffee',
    ];
    const { exitCode, stdout } = await siphon(['print-config', ...args], {
      DATABASE_URL: 'postgresql://scraper:hunter2@db/coffee',
      SENTRY_DSN: 'https://publickey@sentry.example/42',
    });
    expect(exitCode).toBe(0);
    expect(stdout).toContain('timeout: 3s');
    expect(stdout).toContain('namespace: coffee');
    expect(stdout).toContain('[REDACTED]');
    expect(stdout).not.toMatch(/hunter2|publickey/);
  });
});

describe('siphon', () => {
  it('lists its components', async () => {
    const { exitCode, stdout } = await siphon(['components']);
    expect(exitCode).toBe(0);
    for (const type of [
      'otlp',
      'db_poller',
      'memory_limiter',
      'batch',
      'prometheus',
      'otlp_http',
      'sentry',
      'debug',
      'health_check',
    ]) {
      expect(stdout).toContain(`type: ${type}\n`);
    }
  });

  it('lists its packs', async () => {
    const { exitCode, stdout } = await siphon(['packs']);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^postgres_health +\w/m);
  });

  it('checks a pack in TypeScript', async () => {
    const { exitCode, stdout } = await siphon(['packs', 'check', 'examples/shop/pack.ts']);
    expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: 'examples/shop/pack.ts: no problems found\n' });
  });

  it('explains a pack in a project that has not installed the package', async () => {
    const { exitCode, stderr } = await siphon([
      'packs',
      'check',
      file('foreign-pack.mjs', "import 'siphon-otel/pack';"),
    ]);
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/Cannot find package 'siphon-otel' .*; install siphon-otel in the project of the pack\n$/);
  });

  it('prints its version and its help', async () => {
    expect((await siphon(['--version'])).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
    expect((await siphon(['--help'])).stdout).toContain('validate');
    expect((await siphon(['run', '--help'])).stdout).toContain('--set');
  });

  it('exits 2 on a command line that it does not understand', async () => {
    for (const args of [[], ['fly'], ['validate', '--config'], ['validate', '--confg', 'x']]) {
      expect((await siphon(args)).exitCode, args.join(' ')).toBe(2);
    }
  });

  it.each([['components'], ['packs'], ['print-config'], ['validate'], ['doctor', '--config', 'off']])(
    '%s ends quietly if the reader of its output ends first',
    async (...args) => {
      const off = file('off-pipe.yaml', polling("''"));
      const child = spawnBuilt(args.map((arg) => (arg === 'off' ? off : arg)));
      child.stdout.destroy();
      const errors = readText(child.stderr);
      const [code] = (await once(child, 'exit')) as [number];
      expect({ code, errors: await errors }).toEqual({ code: 0, errors: '' });
    },
  );

  it('runs on if the reader of its log ends', async () => {
    await using sidecar = await Sidecar.start();
    const url = sidecar.url({ id: 'health_check' });
    sidecar.process.stderr!.destroy();
    const headers = { 'content-type': 'application/x-protobuf' };
    await fetch(`${sidecar.otlpHttp}/v1/traces`, { method: 'POST', headers, body: new Uint8Array([10, 200]) });
    expect((await fetch(url)).status).toBe(200);
    // The lines about the shutdown cannot be written.
    expect(await sidecar.stop()).toBe(0);
  });

  it('logs its configuration, then each server with its address, then that it is ready', async () => {
    const override = file('override-log.yaml', 'processors: {batch: {timeout: 3s}}');
    await using sidecar = await Sidecar.start({ configs: ['otel-collector.yaml', override] });
    const infos = sidecar.logs.filter(({ level }) => level === 30);
    expect(infos[0]).toMatchObject({
      msg: 'Configuration is loaded',
      sources: expect.arrayContaining(['otel-collector.yaml', override]),
    });
    expect(infos.at(-1)).toMatchObject({ msg: 'Everything is ready' });
    const servers = infos.filter(({ msg }) => msg === 'Listening');
    expect(servers.map(({ kind, id, transport }) => [kind, id, transport].join(' ').trim()).toSorted()).toEqual([
      'exporter prometheus',
      'exporter telemetry_store',
      'extension console',
      'extension health_check',
      'extension metrics_history',
      'receiver otlp grpc',
      'receiver otlp http',
      'telemetry metrics',
    ]);
    for (const { endpoint } of servers) expect(endpoint).toMatch(/^127\.0\.0\.1:[1-9]\d+$/);
  });

  it('exits 1 immediately on a second signal', async () => {
    // The endpoint is closed, so the shutdown takes as long as it may.
    await using sidecar = await Sidecar.start({
      sets: [
        'exporters.otlp_http.endpoint=http://127.0.0.1:9',
        'service.pipelines.traces.exporters=[otlp_http]',
        'processors.batch.timeout=0s',
      ],
    });
    const headers = { 'content-type': 'application/json' };
    const span = {
      traceId: 'a'.repeat(32),
      spanId: 'b'.repeat(16),
      name: 'x',
      startTimeUnixNano: '1',
      endTimeUnixNano: '2',
    };
    const body = JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans: [span] }] }] });
    expect((await fetch(`${sidecar.otlpHttp}/v1/traces`, { method: 'POST', headers, body })).status).toBe(200);
    sidecar.process.kill('SIGTERM');
    await sidecar.waitForLog('Received a signal, shutting down');
    expect(await sidecar.stop('SIGINT')).toBe(1);
  });
});
