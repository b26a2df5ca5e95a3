import { execFile, type ChildProcess } from 'node:child_process';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { freePort } from '../../../examples/postgres/free-port.ts';
import type { ServerParameters } from '../../../examples/postgres/embedded-postgres.ts';
import { chooseOwner, findBinaries, makeFolder } from '../../../examples/postgres/owner.ts';
import { initialise, startServer, stopServer, type ServerSettings } from '../../../examples/postgres/server.ts';
import { waitFor } from '../wait-for.ts';
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
  restartStandby(): Promise<void>;
  /** `immediate` is a crash: what is not on disk is lost. */
  restartPrimary(shutdown: 'fast' | 'immediate'): Promise<void>;
}

/** @param extra parameters of both servers. */
export async function startReplicatedPostgres(extra: ServerParameters = {}): Promise<ReplicatedPostgres> {
  const owner = await chooseOwner();
  const folders = [await makeFolder('siphon-primary-', owner), await makeFolder('siphon-standby-', owner)] as const;
  const binaries = await findBinaries(owner, folders[0]);
  const [primaryPort, standbyPort] = [await freePort(0), await freePort(0)];
  const common = { owner, binaries };
  const parameters = { wal_writer_delay: '10ms', wal_level: 'replica', checkpoint_timeout: '1h', ...extra };
  const primarySettings = { ...common, folder: folders[0], port: primaryPort, parameters };
  await initialise(primarySettings, login);
  await promisify(execFile)('cp', ['-a', join(folders[0], 'data'), join(folders[1], 'data')]);
  await writeFile(join(folders[1], 'data', 'standby.signal'), '', { mode: 0o644 });
  const startPrimary = async (): Promise<ChildProcess> => await startUntilExit(primarySettings);
  const primary = await startPrimary();
  const source = `host=127.0.0.1 port=${primaryPort} user=${login.user} password=${login.password}`;
  const following = { ...parameters, primary_conninfo: source, hot_standby: 'on' };
  const startStandby = async (): Promise<ChildProcess> =>
    await startUntilExit({ ...common, folder: folders[1], port: standbyPort, parameters: following });
  const standby = await startStandby();
  return new Replication({ primary, standby, startPrimary, startStandby }, { primaryPort, standbyPort }, folders);
}

/** The server ends with this process, also if it does not release it. */
async function startUntilExit(settings: ServerSettings): Promise<ChildProcess> {
  const server = await startServer(settings);
  process.once('exit', () => server.kill('SIGQUIT'));
  return server;
}

interface Servers {
  primary: ChildProcess;
  standby: ChildProcess;
  readonly startStandby: () => Promise<ChildProcess>;
  readonly startPrimary: () => Promise<ChildProcess>;
}

const SENT = 'select state, sent_lsn, replay_lsn, pg_current_wal_insert_lsn() as inserted from pg_stat_replication';
const RECEIVED = `
  select pg_last_wal_receive_lsn() as received, pg_last_wal_replay_lsn() as replayed,
         pg_get_wal_replay_pause_state() as pause, (select status from pg_stat_wal_receiver) as status,
         (select json_agg(json_build_array(state, wait_event, left(query, 60))) from pg_stat_activity) as sessions`;

class Replication implements ReplicatedPostgres {
  readonly primaryUrl: string;
  readonly standbyUrl: string;
  readonly #servers: Servers;
  readonly #folders: readonly string[];

  constructor(
    servers: Servers,
    ports: { readonly primaryPort: number; readonly standbyPort: number },
    folders: readonly string[],
  ) {
    this.#servers = servers;
    this.#folders = folders;
    this.primaryUrl = urlOf(ports.primaryPort);
    this.standbyUrl = urlOf(ports.standbyPort);
  }

  async replayed(): Promise<void> {
    const written = await this.#written();
    const isThere = async (): Promise<boolean> => {
      const [row] = await runSql(this.standbyUrl, 'select pg_last_wal_replay_lsn() >= $1::pg_lsn as is_there', [
        written,
      ]);
      return row!['is_there'] === true;
    };
    await waitFor(isThere, { what: 'the replay' }).catch(async (cause: unknown) => {
      const state = [...(await runSql(this.primaryUrl, SENT)), ...(await runSql(this.standbyUrl, RECEIVED))];
      throw new Error(`${written} was not replayed: ${JSON.stringify(state)}`, { cause });
    });
  }

  /** With asynchronous commits, a server keeps the end of its log in memory until a later transaction ends. */
  async #written(): Promise<string> {
    const message = `set synchronous_commit = on; select pg_logical_emit_message(true, 'siphon', '')`;
    await runSql(this.primaryUrl, message);
    const [row] = await runSql(this.primaryUrl, 'select pg_current_wal_flush_lsn()::text as lsn');
    return String(row!['lsn']);
  }

  async promote(): Promise<void> {
    await runSql(this.standbyUrl, 'select pg_promote()');
  }

  async stopPrimary(): Promise<void> {
    await stopServer(this.#servers.primary);
  }

  async restartStandby(): Promise<void> {
    await stopServer(this.#servers.standby);
    this.#servers.standby = await this.#servers.startStandby();
  }

  async restartPrimary(shutdown: 'fast' | 'immediate'): Promise<void> {
    await stopServer(this.#servers.primary, shutdown);
    this.#servers.primary = await this.#servers.startPrimary();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([stopServer(this.#servers.standby), stopServer(this.#servers.primary)]);
    await Promise.all(this.#folders.map(async (folder) => await rm(folder, { recursive: true, force: true })));
  }
}

function urlOf(port: number): string {
  return `postgresql://${login.user}:${login.password}@127.0.0.1:${port}/postgres`;
}
