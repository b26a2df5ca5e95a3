import { openSync, readSync } from 'node:fs';
import type { Logger } from 'pino';
import { processMemory } from '../process-memory.ts';
import { closeBusyConnections } from './connection-limit.ts';

/** Measures the memory of the process, and gives some back. */
export interface Pressure {
  /** Bytes of memory that only this process uses. */
  readonly residentBytes: () => number;
  /** Closes the connections that hold memory. Returns how many. */
  readonly closeConnections: () => number;
  /** Runs a full collection. */
  readonly collectGarbage: () => void;
}

/**
 * The last resort of a process in a container, after all limits of single things: near the memory limit, it closes the
 * connections with unfinished requests and responses, before the kernel ends the process. Senders and scrapers repeat.
 */
export class MemoryRelief implements Disposable {
  readonly #limitBytes: number;
  readonly #logger: Logger;
  readonly #pressure: Pressure;
  readonly #timer: NodeJS.Timeout;
  #thresholdBytes: number;
  #collection: NodeJS.Immediate | undefined;
  #collectedAtMs = -Infinity;

  /** Undefined without a container, or where the system does not report memory in `/proc`. */
  static start(logger: Logger, limitBytes = process.constrainedMemory()): MemoryRelief | undefined {
    if (!(limitBytes > 0 && limitBytes < Number.MAX_SAFE_INTEGER)) return undefined;
    const residentBytes = openResidentBytes();
    if (residentBytes === undefined) return undefined;
    const closeConnections = closeBusyConnections;
    return new MemoryRelief(limitBytes, logger, { ...processMemory, residentBytes, closeConnections });
  }

  constructor(limitBytes: number, logger: Logger, pressure: Pressure) {
    this.#limitBytes = limitBytes;
    this.#logger = logger;
    this.#pressure = pressure;
    this.#thresholdBytes = limitBytes * THRESHOLD;
    this.#timer = setInterval(() => this.check(), CHECK_MS).unref();
  }

  check(): void {
    const residentBytes = this.#pressure.residentBytes();
    // Freed memory may stay resident for long: without a new threshold, no request would be served any more.
    const calm = Math.max(this.#limitBytes * THRESHOLD, residentBytes + this.#limitBytes * STEP);
    this.#thresholdBytes = Math.min(this.#thresholdBytes, calm);
    if (residentBytes < this.#thresholdBytes) return;
    const connections = this.#pressure.closeConnections();
    if (connections > 0) {
      this.#logger.warn(
        { residentBytes, limitBytes: this.#limitBytes, connections },
        'Connections are closed because memory is near the limit of the container',
      );
    }
    // The memory of connections is free after their `close` events.
    this.#collection ??= setImmediate(() => this.#collectGarbage());
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    clearImmediate(this.#collection);
  }

  #collectGarbage(): void {
    this.#collection = undefined;
    if (performance.now() - this.#collectedAtMs < MIN_COLLECTION_INTERVAL_MS) return;
    this.#pressure.collectGarbage();
    this.#collectedAtMs = performance.now();
    const residentBytes = this.#pressure.residentBytes();
    const highest = this.#limitBytes * (residentBytes > this.#limitBytes * HIGH ? HIGHEST : HIGH);
    const raised = residentBytes + this.#limitBytes * STEP;
    this.#thresholdBytes = Math.min(highest, Math.max(this.#thresholdBytes, raised));
  }
}

const CHECK_MS = 10;
/** A collection blocks the process for tens of milliseconds. */
const MIN_COLLECTION_INTERVAL_MS = 250;
/** The rest is for what one turn of the event loop adds, and for the kernel's buffers, which belong to the container. */
const THRESHOLD = 0.7;
/** For memory that stays resident although it was freed. The next requests use it again. */
const HIGH = 0.85;
/** If even more stays resident, requests would never be served below. */
const HIGHEST = 0.93;
const STEP = 0.03;

/** Reads an open file, so that it works without free file descriptors. */
function openResidentBytes(): (() => number) | undefined {
  let file: number;
  try {
    file = openSync('/proc/self/statm', 'r');
  } catch {
    return undefined;
  }
  const buffer = Buffer.alloc(128);
  return (): number => {
    const text = buffer.toString('latin1', 0, readSync(file, buffer, 0, buffer.length, 0));
    const [, resident, shared] = text.split(' ');
    return (Number(resident) - Number(shared)) * PAGE_BYTES;
  };
}

const PAGE_BYTES = 4096;
