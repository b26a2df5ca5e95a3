/**
 * The table of docs/preload.md that compares the preload with the automatic instrumentation of OpenTelemetry. Its second
 * half is proved by `npm run compare:preload`, which installs that from npm.
 */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestPostgres, type TestPostgres } from '../support/postgres/test-postgres.ts';
import { projectRoot } from '../support/processes/demo-process.ts';
import { clientCell, clients, frameworkCells, frameworks, type Server } from '../support/processes/observed-parts.ts';

const AUTOMATIC = ['@opentelemetry/auto-instrumentations-node@0.82.0', '@opentelemetry/api@1.10.0'];
const REGISTER = 'node_modules/@opentelemetry/auto-instrumentations-node/dist/register.mjs';
const SIPHON = 'siphon-otel/preload';

const isCompared = process.env['SIPHON_COMPARE'] !== undefined;
if (!isCompared) process.stderr.write('The automatic instrumentation is compared by `npm run compare:preload` only\n');

const servers: Record<Server, string> = {
  postgres: '',
  mysql: process.env['SIPHON_TEST_MYSQL_URL'] ?? 'mysql://root@127.0.0.1:3306/test',
  redis: process.env['SIPHON_TEST_REDIS_URL'] ?? 'redis://127.0.0.1:6379',
  rabbitmq: process.env['SIPHON_TEST_RABBITMQ_URL'] ?? 'amqp://guest:guest@127.0.0.1:5672',
};

const documented = await documentedCells();
let folder: string | undefined;
let postgres: TestPostgres;

beforeAll(async () => {
  postgres = await startTestPostgres({ schema: false });
  servers.postgres = postgres.url;
  if (!isCompared) return;
  folder = await mkdtemp(path.join(tmpdir(), 'siphon-compare-'));
  await promisify(execFile)('npm', ['install', '--no-audit', '--no-fund', '--prefix', folder, ...AUTOMATIC]);
}, 180_000);

afterAll(async () => {
  await postgres?.[Symbol.asyncDispose]();
  if (folder !== undefined) await rm(folder, { recursive: true });
});

/** The column of the table, and how to load what it is about. */
const observers = [
  { name: 'siphon', column: 0, preload: () => SIPHON },
  ...(isCompared
    ? [{ name: 'automatic instrumentation', column: 1, preload: () => path.join(folder!, REGISTER) }]
    : []),
];

it('documents each framework and client once', () => {
  expect([...documented.keys()]).toEqual([...Object.keys(frameworks), ...Object.keys(clients)]);
});

describe.each(observers)('$name', ({ column, preload }) => {
  it.each(Object.entries(frameworks))('shows of %s what the table contains', async (name, module) => {
    const [route, exception] = await frameworkCells(module, preload());
    expect(documented.get(name)?.[column]).toBe(`route: ${route}; exception: ${exception}`);
  });

  it.each(Object.entries(clients))('shows of %s what the table contains', async (name, client) => {
    // The other clients need no server of this machine.
    const url = 'server' in client ? servers[client.server] : '';
    if (url !== '' && !(await isListening(url))) {
      process.stderr.write(`${name} is not tested: nothing listens at ${new URL(url).host}\n`);
      return;
    }
    expect(documented.get(name)?.[column]).toBe(await clientCell(client.module, url, preload()));
  });
});

/** The cells of each row, by its name. */
async function documentedCells(): Promise<ReadonlyMap<string, readonly string[]>> {
  const text = await readFile(path.join(projectRoot, 'docs/preload.md'), 'utf8');
  const [, section = ''] = text.split('### Next to the automatic instrumentation\n');
  const rows = section
    .split('\n## ')[0]!
    .split('\n')
    .filter((line) => line.startsWith('| '));
  const cells = rows.slice(2).map((row) => row.slice(2, -2).split(' | '));
  return new Map(cells.map(([name = '', ...rest]) => [name, rest]));
}

async function isListening(url: string): Promise<boolean> {
  const { hostname, port } = new URL(url);
  return await new Promise((resolve) => {
    const socket = connect({ host: hostname, port: Number(port || 5432) });
    const settle = (isOpen: boolean): void => {
      socket.destroy();
      resolve(isOpen);
    };
    socket.once('connect', () => settle(true)).once('error', () => settle(false));
  });
}
