import { setTimeout as sleep } from 'node:timers/promises';
import { Connection } from './connection.ts';
import { headOf } from './generator.ts';
import { Payload } from './payload.ts';

export interface Pace {
  readonly port: number;
  /** Active series, a multiple of `POINTS_PER_REQUEST`. */
  readonly series: number;
  readonly pointsPerSecond: number;
  readonly churnPercentPerMinute: number;
  /** If true, new series also have new metric names, labels, targets and bounds of histograms. */
  readonly varies: boolean;
}

export const POINTS_PER_REQUEST = 1000;
const CONNECTIONS = 4;
/** A histogram has 14 lines on the page. */
const HISTOGRAM_EVERY = 10;

/**
 * Sends sums at a steady rate. New series replace a share of the active series every minute, oldest first. Ids are
 * never reused.
 */
export class PacedLoad {
  readonly #pace: Pace;
  readonly #payloads: Payload[];
  /** The end of the latest request of each payload. After a pause, the next one would overtake it on another connection. */
  readonly #turns: Promise<void>[] = [];
  #nextSeries: number;
  #requests = 0;
  #replaced = 0;

  constructor(pace: Pace) {
    this.#pace = pace;
    this.#nextSeries = pace.series;
    this.#payloads = Array.from({ length: pace.series / POINTS_PER_REQUEST }, (_, i) =>
      this.#payloadFrom(i * POINTS_PER_REQUEST),
    );
  }

  /** The number of accepted points. */
  get points(): number {
    return this.#requests * POINTS_PER_REQUEST;
  }

  get replacedSeries(): number {
    return this.#replaced * POINTS_PER_REQUEST;
  }

  /** @throws when a point is refused. */
  async run(durationMs: number): Promise<void> {
    const connections = await Promise.all(Array.from({ length: CONNECTIONS }, () => Connection.open(this.#pace.port)));
    const startedAt = performance.now();
    let next = 0;
    const work = async (connection: Connection): Promise<void> => {
      for (;;) {
        const number = next++;
        const dueMs = (number * POINTS_PER_REQUEST * 1000) / this.#pace.pointsPerSecond;
        if (dueMs >= durationMs || performance.now() - startedAt >= durationMs) return;
        await sleep(Math.max(0, dueMs - (performance.now() - startedAt)));
        await this.#send(connection, number);
        this.#replace(performance.now() - startedAt);
      }
    };
    try {
      await Promise.all(connections.map(work));
    } finally {
      for (const connection of connections) connection.close();
    }
  }

  async #send(connection: Connection, number: number): Promise<void> {
    const slot = number % this.#payloads.length;
    const previous = this.#turns[slot];
    const turn = Promise.withResolvers<void>();
    this.#turns[slot] = turn.promise;
    await previous;
    try {
      const payload = this.#payloads[slot]!;
      payload.stamp(1 + Math.floor(number / this.#payloads.length));
      await connection.post(headOf(this.#pace.port, payload), payload.body);
      this.#requests++;
    } finally {
      turn.resolve();
    }
  }

  #replace(elapsedMs: number): void {
    const perMinute = (this.#payloads.length * this.#pace.churnPercentPerMinute) / 100;
    while (this.#replaced < Math.floor((elapsedMs / 60_000) * perMinute)) {
      this.#payloads[this.#replaced % this.#payloads.length] = this.#payloadFrom(this.#nextSeries);
      this.#nextSeries += POINTS_PER_REQUEST;
      this.#replaced++;
    }
  }

  #payloadFrom(firstSeries: number): Payload {
    const number = firstSeries / POINTS_PER_REQUEST;
    if (!this.#pace.varies) return new Payload({ kind: 'sum', pointsPerRequest: POINTS_PER_REQUEST }, firstSeries);
    const kind = number % HISTOGRAM_EVERY === 0 ? 'histogram' : 'sum';
    return new Payload({ kind, pointsPerRequest: POINTS_PER_REQUEST, variety: number }, firstSeries);
  }
}
