import { constants, fstatSync, openSync, writeSync } from 'node:fs';

/** Lines that wait until their reader continues. Further ones are lost. */
const MAX_WAITING_BYTES = 256 * 1024;
const RETRY_MS = 100;
const FINISH_MS = 500;
const FINISH_STEP_MS = 10;
const NEVER = new Int32Array(new SharedArrayBuffer(4));

/**
 * Writes each log line to standard error synchronously, so that none is lost when the process ends. Never throws and
 * never waits: if the disk is full or the pipe is not read, lines are lost and counted, and the process continues.
 */
export class LogDestination {
  readonly #file: number;
  readonly #recovered: (lost: number) => void;
  #waiting: Buffer[] = [];
  #waitingBytes = 0;
  /** True if the last line was written only in part, and its rest was given up. */
  #isCut = false;
  #lost = 0;
  #reportedLost = 0;
  #retry: NodeJS.Timeout | undefined;

  /** @param recovered called with the number of lost lines when lines can be written again. */
  constructor(recovered: (lost: number) => void, file = 2) {
    this.#file = withoutWaiting(file);
    this.#recovered = recovered;
  }

  /** The number of lines that were not written. */
  get lost(): number {
    return this.#lost;
  }

  /** @param text whole lines. */
  write(text: string): void {
    const lines = Buffer.from(text);
    if (this.#waitingBytes + lines.length > MAX_WAITING_BYTES) {
      this.#lose(lines);
      this.#flush();
      return;
    }
    this.#waiting.push(lines);
    this.#waitingBytes += lines.length;
    this.#flush();
  }

  /** Waits a short time for a slow reader. To be called when the process ends. */
  finish(): void {
    const until = performance.now() + FINISH_MS;
    while (this.#waiting.length > 0 && performance.now() < until) {
      Atomics.wait(NEVER, 0, 0, FINISH_STEP_MS);
      this.#flush();
    }
  }

  #flush(): void {
    clearTimeout(this.#retry);
    this.#retry = undefined;
    let works = false;
    for (let first = this.#waiting[0]; first !== undefined; first = this.#waiting[0]) {
      const written = this.#attempt(this.#isCut ? Buffer.concat([NEWLINE, first]) : first);
      if (written === 'later') return this.#flushLater();
      this.#waiting.shift();
      this.#waitingBytes -= first.length;
      works = written === 'all';
      if (works) this.#isCut = false;
      else this.#lose(first);
    }
    if (works && this.#lost > this.#reportedLost) this.#report();
  }

  /** Writes all of it, or leaves its rest as the first of those that wait. */
  #attempt(bytes: Buffer): 'all' | 'later' | 'never' {
    let at = 0;
    try {
      while (at < bytes.length) at += writeSync(this.#file, bytes, at);
      return 'all';
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EAGAIN') {
        this.#waitingBytes += bytes.length - at - (this.#waiting[0] as Buffer).length;
        this.#waiting[0] = bytes.subarray(at);
        if (at > 0) this.#isCut = false;
        return 'later';
      }
      this.#isCut ||= at > 0;
      return 'never';
    }
  }

  #flushLater(): void {
    this.#retry = setTimeout(() => this.#flush(), RETRY_MS).unref();
  }

  #lose(lines: Buffer): void {
    for (const byte of lines) if (byte === NEWLINE[0]) this.#lost++;
  }

  #report(): void {
    const lost = this.#lost - this.#reportedLost;
    // First, because the report is a line too.
    this.#reportedLost = this.#lost;
    this.#recovered(lost);
  }
}

const NEWLINE = Buffer.from('\n');

/**
 * Another descriptor of the same pipe or terminal, on which a write fails instead of waiting. The mode of the original
 * is shared with other processes, so it stays. A socket cannot be opened again, but Node's own stream has made it
 * non-blocking. A regular file never makes writers wait.
 */
function withoutWaiting(file: number): number {
  try {
    const found = fstatSync(file);
    if (!found.isFIFO() && !found.isCharacterDevice()) return file;
    return openSync(`/proc/self/fd/${file}`, constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
  } catch {
    return file;
  }
}
