import { Rejection, RpcCode } from './rejection.ts';

/** How a body that arrives can be slowed down or cut off. */
export interface BodyFlow {
  /** Stops reading until `resume`. Undefined if data that is not read uses memory too. */
  readonly pause?: (() => void) | undefined;
  readonly resume?: (() => void) | undefined;
  /** Gives up the body. */
  readonly cutOff: (rejection: Rejection) => void;
}

/** A body that waits for this long takes the place of the oldest one that still arrives. */
const PATIENCE_MS = 1000;
/** Later, a waiting body is refused. */
const MAX_WAIT_MS = 5000;
const CHECK_INTERVAL_MS = 250;
/** This part is for bodies that are smaller than what is left. */
const RESERVE = 0.1;
const RETRY_AFTER_MS = 5000;

/**
 * Limits the memory of all bodies that one receiver has not answered yet, over all connections and transports. Without
 * room, readers wait. If that does not help, the oldest body that still arrives is refused, because its sender is the
 * slowest.
 */
export class BodyBudget {
  readonly #maxBytes: number;
  /** The oldest first. */
  readonly #leases = new Set<BodyLease>();
  /** The one that waits longest first. */
  readonly #waiting = new Set<BodyLease>();
  #usedBytes = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** The bytes of all bodies. */
  get usedBytes(): number {
    return this.#usedBytes;
  }

  /** To be released when the request is answered. */
  open(flow: BodyFlow): BodyLease {
    const lease = new BodyLease(flow, {
      add: (bytes) => this.#add(lease, bytes),
      reserve: (bytes) => this.#reserve(lease, bytes),
      release: () => this.#release(lease),
    });
    this.#leases.add(lease);
    return lease;
  }

  #add(lease: BodyLease, bytes: number): void {
    this.#usedBytes += bytes;
    if (bytes < 0) this.#resume();
    if (!lease.isArriving || this.#hasRoomFor(lease)) return;
    if (lease.flow.pause === undefined) this.#makeRoomFor(lease);
    else this.#wait(lease);
  }

  /** Waits like a body that arrives. */
  async #reserve(lease: BodyLease, bytes: number): Promise<void> {
    lease.wantedBytes = bytes;
    if (!this.#hasRoomFor(lease)) {
      lease.room = Promise.withResolvers<void>();
      this.#wait(lease);
      await lease.room.promise;
    }
    lease.wantedBytes = 0;
  }

  #release(lease: BodyLease): void {
    this.#usedBytes -= lease.bytes;
    this.#leases.delete(lease);
    this.#waiting.delete(lease);
    this.#resume();
  }

  #hasRoomFor({ bytes, wantedBytes }: BodyLease): boolean {
    // The only body always has room for what it expands to.
    if (wantedBytes > 0) return this.#usedBytes + wantedBytes <= this.#maxBytes || this.#usedBytes === bytes;
    const room = this.#maxBytes - this.#usedBytes;
    return room >= 0 && (room > this.#maxBytes * RESERVE || bytes <= room);
  }

  #makeRoomFor(lease: BodyLease): void {
    while (!this.#hasRoomFor(lease)) {
      const oldest = this.#oldestArriving(lease);
      if (oldest === undefined) return lease.cutOff();
      oldest.cutOff();
    }
  }

  /** The oldest body that has been arriving for long. */
  #oldestArriving(except: BodyLease): BodyLease | undefined {
    const startedBefore = performance.now() - PATIENCE_MS;
    for (const lease of this.#leases) {
      if (lease.startMs > startedBefore) return undefined;
      if (lease !== except && lease.isArriving && !this.#waiting.has(lease)) return lease;
    }
    return undefined;
  }

  #wait(lease: BodyLease): void {
    if (this.#waiting.has(lease)) return;
    lease.waitsSinceMs = performance.now();
    if (lease.isArriving) lease.flow.pause?.();
    this.#waiting.add(lease);
    this.#timer ??= setInterval(() => this.#check(), CHECK_INTERVAL_MS).unref();
  }

  #resume(): void {
    for (const lease of this.#waiting) {
      if (!this.#hasRoomFor(lease)) break;
      this.#waiting.delete(lease);
      if (lease.isArriving) lease.flow.resume?.();
      else lease.room?.resolve();
    }
    if (this.#waiting.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #check(): void {
    const nowMs = performance.now();
    for (const lease of this.#waiting) if (nowMs - lease.waitsSinceMs > MAX_WAIT_MS) lease.cutOff();
    const [first] = this.#waiting;
    if (first === undefined || nowMs - first.waitsSinceMs < PATIENCE_MS) return;
    while (this.#waiting.has(first)) {
      // If only waiting bodies are left, the newest ones make room, so that the others end. The last one waits for requests
      // that are being processed.
      const victim: BodyLease | undefined = this.#oldestArriving(first) ?? [...this.#waiting].at(-1);
      if (victim === first) return;
      victim?.cutOff();
    }
  }
}

interface LeaseAccount {
  readonly add: (bytes: number) => void;
  readonly reserve: (bytes: number) => Promise<void>;
  readonly release: () => void;
}

/** The memory that one body uses. */
export class BodyLease {
  readonly flow: BodyFlow;
  readonly startMs = performance.now();
  readonly #budget: LeaseAccount;
  #bytes = 0;
  #isReleased = false;
  #isAborted = false;
  /** False from the moment when the whole body has arrived. */
  isArriving = true;
  waitsSinceMs = 0;
  /** How much a body that has arrived waits for. */
  wantedBytes = 0;
  room: PromiseWithResolvers<void> | undefined;
  #reservedBytes = 0;

  constructor(flow: BodyFlow, budget: LeaseAccount) {
    this.flow = flow;
    this.#budget = budget;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** False after `release` and `cutOff`. */
  get isHeld(): boolean {
    return !this.#isReleased;
  }

  /** Counts bytes that are in memory now. May pause the flow, or cut it off. */
  add(bytes: number): void {
    if (this.#isReleased) return;
    this.#bytes += bytes;
    this.#budget.add(bytes);
  }

  /**
   * Resolves when there is room for the expanded body, and counts it.
   *
   * @param bytes the most that it may expand to.
   * @throws Rejection if there is no room in time, or the sender leaves while it waits.
   */
  async reserve(bytes: number): Promise<void> {
    await this.#budget.reserve(bytes);
    this.#reservedBytes = bytes;
    this.add(bytes);
  }

  /** Counts the expanded body instead of its reservation. */
  expanded(bytes: number): void {
    this.add(bytes - this.#reservedBytes);
    this.#reservedBytes = 0;
  }

  /** To be called when the sender has left. Its body stays counted until `release`, because it may be in use. */
  abort(): void {
    this.#isAborted = true;
    this.room?.reject(rejectAborted());
  }

  /** @throws Rejection if the sender has left. It sends the body again. */
  throwIfAborted(): void {
    if (this.#isAborted) throw rejectAborted();
  }

  /** To be called when the body is complete: from now on it is cut off only while it waits for `reserve`. */
  arrived(): void {
    this.isArriving = false;
  }

  release(): void {
    if (this.#isReleased) return;
    this.#isReleased = true;
    this.#budget.release();
    this.room?.reject(rejectBusy());
  }

  /** Gives up the body, and its memory. */
  cutOff(): void {
    if (this.#isReleased) return;
    this.release();
    this.flow.cutOff(rejectBusy());
  }
}

function rejectBusy(): Rejection {
  return new Rejection('in_flight', RpcCode.unavailable, {
    message: 'too many bytes of other requests are in memory: see max_in_flight_mib',
    retryAfterMs: RETRY_AFTER_MS,
  });
}

function rejectAborted(): Rejection {
  return new Rejection('aborted', RpcCode.invalidArgument, { message: 'the sender has left' });
}
