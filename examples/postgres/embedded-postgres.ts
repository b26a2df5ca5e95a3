import { fork, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

/** A real PostgreSQL server on 127.0.0.1 with an empty database, for the examples and the tests. */
export interface EmbeddedPostgres extends AsyncDisposable {
  /** `postgresql://user:password@127.0.0.1:port/database`; does not change with `pause` and `resume`. */
  readonly url: string;
  /** Resolves when the server has ended; with an error if it ended unexpectedly. */
  readonly ended: Promise<Error | undefined>;
  /** Stops the server and keeps its data. */
  pause(): Promise<void>;
  /** Starts it again on the same port. */
  resume(): Promise<void>;
  /** Stops the server and removes its data. Safe to call twice. */
  stop(): Promise<void>;
}

export type KeeperRequest = StartRequest | { readonly command: 'pause' | 'resume' | 'stop' };

/** Additional server parameters by name, e.g. `shared_buffers`. */
export type ServerParameters = Readonly<Record<string, string>>;

export interface StartRequest {
  readonly command: 'start';
  readonly user: string;
  readonly password: string;
  readonly parameters: ServerParameters;
}

export interface KeeperReply {
  readonly server?: KeptServer;
  readonly error?: string;
}

export interface KeptServer {
  readonly port: number;
  readonly pid: number;
  readonly folder: string;
}

const user = 'example';

/**
 * Starts PostgreSQL 18 on a free port with its data in the system's temporary folder. Durability is off.
 *
 * A keeper process owns the server. It stops the server and removes its data when this process ends, even when it is
 * killed.
 */
export async function startEmbeddedPostgres(parameters: ServerParameters = {}): Promise<EmbeddedPostgres> {
  const password = randomBytes(12).toString('hex');
  const keeper = fork(fileURLToPath(new URL('keeper.ts', import.meta.url)), {
    // Ctrl-C in a terminal reaches only this process, which decides when the server ends.
    detached: true,
    execArgv: [],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  try {
    await nextReply(keeper);
    const { server } = await ask(keeper, { command: 'start', user, password, parameters });
    return new KeptPostgres(keeper, server!, `postgresql://${user}:${password}@127.0.0.1:${server!.port}/postgres`);
  } catch (error) {
    keeper.disconnect();
    throw error;
  }
}

class KeptPostgres implements EmbeddedPostgres {
  readonly url: string;
  readonly ended: Promise<Error | undefined>;
  readonly #keeper: ChildProcess;
  #server: KeptServer;
  #stopping = false;

  constructor(keeper: ChildProcess, server: KeptServer, url: string) {
    this.#keeper = keeper;
    this.#server = server;
    this.url = url;
    this.ended = once(keeper, 'exit').then(async ([code, signal]) => {
      if (this.#stopping) return undefined;
      await removeOrphan(this.#server);
      return new Error(`PostgreSQL ended unexpectedly (${String(signal ?? `code ${String(code)}`)})`);
    });
    // A running server must not keep a finished program alive.
    keeper.unref();
    keeper.channel?.unref();
  }

  async pause(): Promise<void> {
    await ask(this.#keeper, { command: 'pause' });
  }

  async resume(): Promise<void> {
    const { server } = await ask(this.#keeper, { command: 'resume' });
    this.#server = server!;
  }

  async stop(): Promise<void> {
    if (!this.#stopping && this.#keeper.connected) {
      this.#stopping = true;
      this.#keeper.ref();
      this.#keeper.send({ command: 'stop' } satisfies KeeperRequest);
    }
    await this.ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}

/** Stops the server and removes its data after its keeper was killed. */
async function removeOrphan({ pid, folder }: KeptServer): Promise<void> {
  try {
    process.kill(pid, 'SIGQUIT');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
  await rm(folder, { recursive: true, force: true, maxRetries: 5 });
}

async function ask(keeper: ChildProcess, request: KeeperRequest): Promise<KeeperReply> {
  const replied = nextReply(keeper);
  keeper.send(request);
  const reply = await replied;
  if (reply.error !== undefined) throw new Error(`PostgreSQL cannot ${request.command}: ${reply.error}`);
  return reply;
}

async function nextReply(keeper: ChildProcess): Promise<KeeperReply> {
  keeper.channel?.ref();
  const reply = await new Promise<KeeperReply>((resolve) => {
    const gone = (): void => resolve({ error: 'the keeper process has ended' });
    keeper.once('exit', gone);
    keeper.once('message', (message) => {
      keeper.off('exit', gone);
      resolve(message as KeeperReply);
    });
  });
  keeper.channel?.unref();
  return reply;
}
