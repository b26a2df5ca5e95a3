/** One PostgreSQL server with its data in one folder. Durability is off, because the folder is removed afterwards. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { ServerParameters } from './embedded-postgres.ts';
import type { Binaries, Owner } from './owner.ts';

export interface ServerSettings {
  readonly binaries: Binaries;
  readonly owner: Owner;
  /** A folder of the owner. */
  readonly folder: string;
  readonly port: number;
  readonly parameters: ServerParameters;
}

const defaults: ServerParameters = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  shared_buffers: '32MB',
  fsync: 'off',
  synchronous_commit: 'off',
  full_page_writes: 'off',
};

/** Creates an empty cluster with one user. */
export async function initialise(
  { binaries, owner, folder }: Omit<ServerSettings, 'port' | 'parameters'>,
  login: { readonly user: string; readonly password: string },
): Promise<void> {
  const passwordFile = join(folder, 'password');
  await writeFile(passwordFile, login.password, { mode: 0o644 });
  const options = ['--auth=scram-sha-256', `--username=${login.user}`, `--pwfile=${passwordFile}`];
  const form = ['--no-sync', '--data-checksums', '--encoding=UTF8', '--locale=C', `--pgdata=${join(folder, 'data')}`];
  const initdb = launch(binaries.initdb, [...options, ...form], { owner, folder });
  const log = logTail(initdb);
  const [code] = (await once(initdb, 'close')) as [number | null];
  await rm(passwordFile);
  if (code !== 0) throw new Error(`initdb ended with code ${String(code)}\n${log.join('\n')}`);
}

/** Resolves when the server accepts connections. Rejects with the end of its log if it ends before. */
export async function startServer(settings: ServerSettings): Promise<ChildProcess> {
  const { binaries, owner, folder, port, parameters } = settings;
  const place = ['-D', join(folder, 'data'), '-p', String(port)];
  const flags = Object.entries({ ...defaults, ...parameters }).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const server = launch(binaries.postgres, [...place, ...flags], { owner, folder });
  const { promise: ready, resolve, reject } = Promise.withResolvers<void>();
  const log = logTail(server, (line) => {
    // A standby is ready to accept read-only connections.
    if (/ready to accept (?:read-only )?connections/.test(line)) resolve();
  });
  server.once('error', reject);
  server.once('close', () => reject(new Error(`the server ended\n${log.join('\n')}`)));
  await ready;
  return server;
}

/** Cancels running transactions and shuts down; `immediate` does not even write what is in memory, like a crash. */
export async function stopServer(server: ChildProcess, shutdown: 'fast' | 'immediate' = 'fast'): Promise<void> {
  if (server.exitCode !== null || server.signalCode !== null) return;
  server.kill(shutdown === 'fast' ? 'SIGINT' : 'SIGQUIT');
  await once(server, 'exit');
}

function launch(
  program: string,
  args: readonly string[],
  { owner, folder }: { readonly owner: Owner; readonly folder: string },
): ChildProcess {
  // startServer searches the log for an English message.
  const env = { ...process.env, LC_ALL: 'C' };
  return spawn(program, args, { ...owner, cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'] });
}

function logTail(child: ChildProcess, onLine: (line: string) => void = () => undefined): string[] {
  const lines: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream! }).on('line', (line) => {
      lines.push(line);
      onLine(line);
      if (lines.length > 20) lines.shift();
    });
  }
  return lines;
}
