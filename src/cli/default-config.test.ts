import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { load } from 'js-yaml';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DEFAULT_PORTS, defaultConfig } from './default-config.ts';
import { runCommand } from '../../tests/support/processes/run-command.ts';
import { withPoller } from '../../tests/support/processes/with-poller.ts';

const DATABASE_URL = 'postgresql://siphon:hunter2@127.0.0.1:1/shop';

let folder: string;
const before = process.cwd();
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'siphon-init-'));
  process.chdir(folder);
});
afterEach(() => {
  process.chdir(before);
  rmSync(folder, { recursive: true });
});

describe('a command without --config', () => {
  it('uses the built-in default, without a database if DATABASE_URL is not set', async () => {
    const { exitCode, printed, errors } = await runCommand(['print-config']);
    expect({ exitCode, errors }).toEqual({ exitCode: 0, errors: '' });
    expect(printed).toMatch(/^# built-in default\n/);
    for (const type of ['otlp', 'memory_limiter', 'prometheus', 'sentry']) expect(printed).toContain(`  ${type}:\n`);
    expect(printed).not.toContain('db_poller');
  });

  it('polls the database of DATABASE_URL and keeps the password secret', async () => {
    const { printed } = await runCommand(['print-config'], { DATABASE_URL });
    expect(printed).toContain('postgres_health');
    expect(printed).toContain('- db_poller');
    expect(printed).not.toContain('hunter2');
  });

  it('reads otel-collector.yaml if it exists, and --set in any case', async () => {
    expect((await runCommand(['validate'])).printed).toContain('(built-in default) is valid');
    await runCommand(['init']);
    expect((await runCommand(['validate'])).printed).toContain('(otel-collector.yaml) is valid');
    expect((await runCommand(['print-config', '--set', 'processors.batch.timeout=7s'])).printed).toContain('7s');
  });
});

it('is the same as the shipped otel-collector.yaml', () => {
  const options = { hasDatabase: true, keepsState: true, ports: DEFAULT_PORTS };
  // The shipped file is valid without any variable, too.
  const text = defaultConfig(options).replace('${env:DATABASE_URL}', '${env:DATABASE_URL:-}');
  const shipped = readFileSync(new URL('../../otel-collector.yaml', import.meta.url), 'utf8');
  expect(load(shipped)).toEqual(load(text));
});

describe('siphon init', () => {
  it.each([{}, { DATABASE_URL, SENTRY_DSN: 'https://key@sentry.example/1' }])(
    'writes a valid file with %j',
    async (env) => {
      const { exitCode, printed } = await runCommand(['init', '--dir', 'new'], env);
      expect(exitCode).toBe(0);
      expect(printed).toMatch(/siphon-otel run --config new\/otel-collector\.yaml\n.*siphon-otel\/preload app\.js$/);
      const text = readFileSync('new/otel-collector.yaml', 'utf8');
      expect(/^ {2}db_poller:/m.test(text)).toBe('DATABASE_URL' in env);
      const { exitCode: code, errors } = await runCommand(['validate', '--config', 'new/otel-collector.yaml'], env);
      expect({ code, errors }).toEqual({ code: 0, errors: '' });
    },
  );

  it('writes a poller that is as if DATABASE_URL had been set, after it is uncommented', async () => {
    await runCommand(['init', '--dir', 'off']);
    await runCommand(['init', '--dir', 'on'], { DATABASE_URL });
    const text = withPoller(readFileSync('off/otel-collector.yaml', 'utf8'));
    const on = readFileSync('on/otel-collector.yaml', 'utf8');
    expect(load(text)).toEqual(load(on));
    expect(load(text)).toMatchObject({ receivers: { db_poller: { storage: 'file_storage' } } });
    writeFileSync('off/otel-collector.yaml', text);
    const { exitCode, errors } = await runCommand(['validate', '--config', 'off/otel-collector.yaml'], {
      DATABASE_URL,
    });
    expect({ exitCode, errors }).toEqual({ exitCode: 0, errors: '' });
  });

  it('overwrites nothing', async () => {
    await runCommand(['init']);
    const { exitCode, errors } = await runCommand(['init'], { DATABASE_URL });
    expect({ exitCode, errors }).toEqual({
      exitCode: 1,
      errors: 'otel-collector.yaml: already exists and was not changed',
    });
    expect(readFileSync('otel-collector.yaml', 'utf8')).not.toMatch(/^ {2}db_poller:/m);
  });

  it('chooses the next free port', async () => {
    const server = await inUse(4318);
    const { printed } = await runCommand(['init']);
    server.close();
    const port = /^Port 4318 is in use: the file has (\d+) instead$/m.exec(printed)?.[1];
    expect(Number(port)).toBeGreaterThan(4318);
    expect(printed).toContain(`OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:${port} node`);
    expect(readFileSync('otel-collector.yaml', 'utf8')).toContain(`endpoint: 127.0.0.1:${port}\n`);
  });
});

it('names what else has to know another port', async () => {
  const servers = await Promise.all([8000, 8888].map(inUse));
  const { printed } = await runCommand(['init']);
  for (const server of servers) server.close();
  const [, scraped, own] = /^Port 8000 .*?(\d+) instead$[^]*^Port 8888 .*?(\d+) instead$/m.exec(printed) ?? [];
  for (const [port, other] of [
    [8000, scraped],
    [8888, own],
  ])
    expect(printed).toContain(
      `Prometheus must scrape 127.0.0.1:${other}: change the target 127.0.0.1:${port} in prometheus.yaml\n`,
    );
  expect(printed).toContain(`siphon reload needs --metrics http://127.0.0.1:${own}/metrics\n`);
});

/** Listens on the port, unless another process of this machine already does. */
async function inUse(port: number): Promise<Server> {
  const server = createServer();
  await new Promise<void>((resolve) => {
    server.once('error', () => resolve());
    server.listen(port, '127.0.0.1', resolve);
  });
  return server;
}

describe('a mistake on the command line', () => {
  it.each([
    [['valdate'], 'unknown command: valdate (did you mean validate?)'],
    [['dashboard'], 'unknown command: dashboard (did you mean dashboards?)'],
    [['dashboards', 'exprt'], 'unknown command: dashboards exprt (did you mean dashboards export?)'],
    [['validate', '--confg', 'x'], "Unknown option '--confg' (did you mean --config?)"],
  ])('%j is answered without the usage', async (args, message) => {
    const { exitCode, errors } = await runCommand(args);
    expect(exitCode).toBe(2);
    expect(errors).toContain(message);
    expect(errors).not.toContain('Usage:');
  });

  it('shows the commands of a group', async () => {
    const { exitCode, printed } = await runCommand(['dashboards', '--help']);
    expect(exitCode).toBe(0);
    expect(printed).toContain('dashboards push');
    expect(printed).not.toContain('validate');
  });
});
