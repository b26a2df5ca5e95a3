import { setTimeout as sleep } from 'node:timers/promises';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import type { Logger } from 'pino';
import { RetryableError } from '../../../engine/errors.ts';

/** Limits the waiting work: a check takes as long as its hash demands. */
const MAX_WAITING = 64;
/** The part of it for names without a user. */
const MAX_UNKNOWN = 8;
/** One of so many checks is for a name without a user, if others wait. */
const TURNS = 4;
const RETRY_AFTER_MS = 2000;
/** How long a check may take, before the first one. */
const FIRST_GUESS_MS = 200;
const ROLE = 'siphon-slow-hashes';

interface Check {
  readonly password: string;
  readonly hash: string;
  readonly sinceMs: number;
  readonly answer: (matches: boolean) => void;
}

/**
 * Compares passwords with bcrypt and MD5 hashes, which are slow on purpose: one after another, those of users first, in a thread that ends when
 * nothing is left to do. The thread runs this file too.
 */
export class SlowHashes {
  readonly #logger: Logger;
  readonly #users: Check[] = [];
  readonly #unknown: Check[] = [];
  #current: Check | undefined;
  /** How long the last check took, with its wait. */
  #lastMs = FIRST_GUESS_MS;
  #turn = 0;
  #thread: Worker | undefined;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  /** @throws RetryableError if too many others are waiting. */
  async matches(password: string, hash: string): Promise<boolean> {
    if (this.#users.length >= MAX_WAITING) {
      const message = 'too many passwords are being checked';
      throw new RetryableError('queue_full', message, { retryAfterMs: RETRY_AFTER_MS });
    }
    return await this.#wait(this.#users, password, hash);
  }

  /**
   * Always false, after about the time that a check takes: response times must not reveal user names. Names without a
   * user are easy to invent, so they delay other checks little.
   */
  async matchesNone(password: string, hash: string): Promise<false> {
    if (this.#unknown.length >= MAX_UNKNOWN) await sleep(this.#lastMs, undefined, { ref: false });
    else await this.#wait(this.#unknown, password, hash);
    return false;
  }

  #wait(queue: Check[], password: string, hash: string): Promise<boolean> {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    queue.push({ password, hash, sinceMs: performance.now(), answer: resolve });
    if (this.#thread === undefined) this.#start();
    return promise;
  }

  /** Refuses all waiting checks. */
  async stop(): Promise<void> {
    const thread = this.#thread;
    this.#refuseAll();
    await thread?.terminate();
  }

  #start(): void {
    const thread = new Worker(new URL(import.meta.url), { workerData: ROLE });
    this.#thread = thread;
    thread.unref();
    thread.on('message', (matches: boolean) => {
      this.#lastMs = performance.now() - (this.#current?.sinceMs ?? 0);
      this.#current?.answer(matches);
      this.#current = this.#next();
      if (this.#current !== undefined) return this.#ask(thread, this.#current);
      this.#thread = undefined;
      void thread.terminate();
    });
    thread.on('error', (err) => {
      this.#logger.error({ err }, 'Passwords cannot be compared with their hashes');
      if (this.#thread === thread) this.#refuseAll();
    });
    this.#current = this.#next();
    if (this.#current !== undefined) this.#ask(thread, this.#current);
  }

  #next(): Check | undefined {
    this.#turn = (this.#turn + 1) % TURNS;
    const queues = this.#turn === 0 ? [this.#unknown, this.#users] : [this.#users, this.#unknown];
    return queues[0]?.shift() ?? queues[1]?.shift();
  }

  #ask(thread: Worker, { password, hash }: Check): void {
    thread.postMessage([password, hash], []);
  }

  #refuseAll(): void {
    this.#thread = undefined;
    this.#current?.answer(false);
    this.#current = undefined;
    for (const queue of [this.#users, this.#unknown]) for (const { answer } of queue.splice(0)) answer(false);
  }
}

async function check(password: string, hash: string): Promise<boolean> {
  if (hash.startsWith('$2')) {
    const { compareSync } = await import('bcryptjs');
    return compareSync(password, hash);
  }
  const { default: md5 } = await import('apache-md5');
  // The library treats characters as bytes.
  return md5(Buffer.from(password).toString('latin1'), hash) === hash;
}

if (!isMainThread && workerData === ROLE) {
  parentPort?.on('message', ([password, hash]: [string, string]) => {
    void check(password, hash).then((matches) => parentPort?.postMessage(matches, []));
  });
}
