import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { freePorts } from '../network/free-ports.ts';
import { waitFor } from '../wait-for.ts';

/** The path of Debian's package; undefined if it is not installed. */
export const pgbouncerPath = ['/usr/sbin/pgbouncer', '/usr/bin/pgbouncer'].find((path) => existsSync(path));

/** A real pgbouncer in front of a real database. */
export class Pgbouncer implements AsyncDisposable {
  /** The URL of the database through pgbouncer. */
  readonly url: string;
  /** The URL of its admin console, where the user may only SHOW. */
  readonly consoleUrl: string;
  readonly #process: ChildProcess;
  readonly #folder: string;

  static async start(
    databaseUrl: string,
    serverConnections: number,
    { mode = 'transaction', maxClients = 100 }: { mode?: 'transaction' | 'session'; maxClients?: number } = {},
  ): Promise<Pgbouncer> {
    const folder = await mkdtemp(join(tmpdir(), 'siphon-pgbouncer-'));
    const [port] = await freePorts(1);
    const { hostname, port: serverPort, username, password } = new URL(databaseUrl);
    await writeFile(join(folder, 'users.txt'), `"${username}" "${decodeURIComponent(password)}"\n`);
    const configFile = join(folder, 'pgbouncer.ini');
    await writeFile(
      configFile,
      `[databases]
* = host=${hostname} port=${serverPort}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = ${password === '' ? 'trust' : 'scram-sha-256'}
auth_file = ${join(folder, 'users.txt')}
pool_mode = ${mode}
max_client_conn = ${maxClients}
default_pool_size = ${serverConnections}
stats_users = ${username}
`,
    );
    // pgbouncer refuses to run as root, and its user must be able to read its files.
    await chmod(folder, 0o755);
    const identity = userInfo().uid === 0 ? { uid: 65_534, gid: 65_534 } : {};
    const child = spawn(pgbouncerPath!, [configFile], { ...identity, cwd: folder, stdio: 'ignore' });
    await waitFor(() => accepts(port!), { what: 'pgbouncer' });
    return new Pgbouncer(Object.assign(new URL(databaseUrl), { port: String(port) }).href, child, folder);
  }

  private constructor(url: string, child: ChildProcess, folder: string) {
    this.url = url;
    this.consoleUrl = Object.assign(new URL(url), { pathname: '/pgbouncer' }).href;
    this.#process = child;
    this.#folder = folder;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = once(this.#process, 'exit');
    this.#process.kill('SIGKILL');
    await ended;
    await rm(this.#folder, { recursive: true });
  }
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}
