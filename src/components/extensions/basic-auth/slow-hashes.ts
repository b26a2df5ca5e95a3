import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import type { Logger } from 'pino';

/** Limits the waiting work: a check takes as long as its hash demands. */
const MAX_WAITING = 64;
const ROLE = 'siphon-slow-hashes';

interface Check {
  readonly password: string;
  readonly hash: string;
  readonly answer: (matches: boolean) => void;
}

/**
 * Compares passwords with bcrypt and MD5 hashes, which are slow on purpose: one after another, in a thread that ends when
 * nothing is left to do. The thread runs this file too.
 */
export class SlowHashes {
  readonly #logger: Logger;
  readonly #waiting: Check[] = [];
  #thread: Worker | undefined;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  /** Also false if too many others are waiting. */
  matches(password: string, hash: string): Promise<boolean> {
    if (this.#waiting.length >= MAX_WAITING) return Promise.resolve(false);
    const { promise, resolve } = Promise.withResolvers<boolean>();
    this.#waiting.push({ password, hash, answer: resolve });
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
      this.#waiting.shift()?.answer(matches);
      if (this.#waiting.length > 0) return this.#ask(thread);
      this.#thread = undefined;
      void thread.terminate();
    });
    thread.on('error', (err) => {
      this.#logger.error({ err }, 'Passwords cannot be compared with their hashes');
      if (this.#thread === thread) this.#refuseAll();
    });
    this.#ask(thread);
  }

  #ask(thread: Worker): void {
    const [next] = this.#waiting;
    if (next !== undefined) thread.postMessage([next.password, next.hash], []);
  }

  #refuseAll(): void {
    this.#thread = undefined;
    for (const { answer } of this.#waiting.splice(0)) answer(false);
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
