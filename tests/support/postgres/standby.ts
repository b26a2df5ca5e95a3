import { execFile, type ChildProcess } from 'node:child_process';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { freePort } from '../../../examples/postgres/free-port.ts';
import { chooseOwner, findBinaries, makeFolder } from '../../../examples/postgres/owner.ts';
import { initialise, startServer, stopServer } from '../../../examples/postgres/server.ts';
import { runSql } from './test-postgres.ts';

const login = { user: 'example', password: 'example' };

/** A primary and a hot standby that replays its transactions. */
export interface ReplicatedPostgres extends AsyncDisposable {
  readonly primaryUrl: string;
  readonly standbyUrl: string;
  /** Resolves when the standby has replayed everything that the primary has written. */
  replayed(): Promise<void>;
  /** Makes the standby a primary, without a checkpoint for the time of a test. */
  promote(): Promise<void>;
  stopPrimary(): Promise<void>;
}

export async function startReplicatedPostgres(): Promise<ReplicatedPostgres> {
  const owner = await chooseOwner();
  const folders = [await makeFolder('siphon-primary-', owner), await makeFolder('siphon-standby-', owner)] as const;
  const binaries = await findBinaries(owner, folders[0]);
  const [primaryPort, standbyPort] = [await freePort(0), await freePort(0)];
  const common = { owner, binaries };
  const parameters = { wal_writer_delay: '10ms', wal_level: 'replica', checkpoint_timeout: '1h' };
  await initialise({ ...common, folder: folders[0] }, login);
  await promisify(execFile)('cp', ['-a', join(folders[0], 'data'), join(folders[1], 'data')]);
  await writeFile(join(folders[1], 'data', 'standby.signal'), '', { mode: 0o644 });
  const primary = await startServer({ ...common, folder: folders[0], port: primaryPort, parameters });
  const source = `host=127.0.0.1 port=${primaryPort} user=${login.user} password=${login.password}`;
  const following = { ...parameters, primary_conninfo: source, hot_standby: 'on' };
  // The servers end with this process, also if it does not release them.
  process.once('exit', () => primary.kill('SIGQUIT'));
  const standby = await startServer({ ...common, folder: folders[1], port: standbyPort, parameters: following });
  process.once('exit', () => standby.kill('SIGQUIT'));
  return new Replication({ primary, standby }, { primaryPort, standbyPort }, folders);
}

class Replication implements ReplicatedPostgres {
  readonly primaryUrl: string;
  readonly standbyUrl: string;
  readonly #servers: { readonly primary: ChildProcess; readonly standby: ChildProcess };
  readonly #folders: readonly string[];

  constructor(
    servers: { readonly primary: ChildProcess; readonly standby: ChildProcess },
    ports: { readonly primaryPort: number; readonly standbyPort: number },
    folders: readonly string[],
  ) {
    this.#servers = servers;
    this.#folders = folders;
    this.primaryUrl = urlOf(ports.primaryPort);
    this.standbyUrl = urlOf(ports.standbyPort);
  }

  async replayed(): Promise<void> {
    const [written] = await runSql(this.primaryUrl, 'select pg_current_wal_insert_lsn()::text as lsn');
    for (;;) {
      const [row] = await runSql(this.standbyUrl, 'select pg_last_wal_replay_lsn() >= $1::pg_lsn as is_there', [
        written!['lsn'],
      ]);
      if (row!['is_there'] === true) return;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  async promote(): Promise<void> {
    await runSql(this.standbyUrl, 'select pg_promote()');
  }

  async stopPrimary(): Promise<void> {
    await stopServer(this.#servers.primary);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([stopServer(this.#servers.standby), stopServer(this.#servers.primary)]);
    await Promise.all(this.#folders.map(async (folder) => await rm(folder, { recursive: true, force: true })));
  }
}

function urlOf(port: number): string {
  return `postgresql://${login.user}:${login.password}@127.0.0.1:${port}/postgres`;
}
