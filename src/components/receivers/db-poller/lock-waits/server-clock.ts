import type { ClockReading } from './sample.ts';

/** Clocks drift: an older reading counts as wrong. */
const MAX_AGE_MS = 60_000;

/** Converts times of the server's clock to the sidecar's, by the reading that took the least time. */
export class ServerClock {
  #best: ClockReading | undefined;

  read(reading: ClockReading): void {
    const best = this.#best;
    const isOld = best === undefined || Math.abs(reading.afterMs - best.afterMs) > MAX_AGE_MS;
    if (isOld || widthOf(reading) <= widthOf(best)) this.#best = reading;
  }

  /** Unix milliseconds of the sidecar's clock, at most `uncertaintyMs` wrong. */
  toSidecar(serverMs: number): number {
    const { serverMs: read, beforeMs, afterMs } = this.#reading;
    return serverMs - read + (beforeMs + afterMs + 1) / 2;
  }

  get uncertaintyMs(): number {
    return widthOf(this.#reading) / 2;
  }

  get #reading(): ClockReading {
    if (this.#best === undefined) throw new Error('the clock of the server was not read');
    return this.#best;
  }
}

/** The sidecar's clock shows whole milliseconds. */
function widthOf({ beforeMs, afterMs }: ClockReading): number {
  return afterMs + 1 - beforeMs;
}
