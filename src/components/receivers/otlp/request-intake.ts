import type {
  ComponentSettings,
  Consumer,
  ConsumerFor,
  PartialSuccess,
  Signal,
  Transport,
} from '../../../engine/component.ts';
import type { RejectionReason } from '../../../metrics/reasons.ts';
import { sidecarMetrics } from '../../../metrics/self.ts';
import { inspectSteps, type MessageLimits } from '../../../engine/otlp/inspect-request.ts';
import { inSlices } from '../../../engine/time-slice.ts';
import { Incident } from '../../../engine/incident.ts';
import type { BodyBudget } from './body-budget.ts';
import { rejectionOf, type Rejection } from './rejection.ts';

/** The parts that the transports of a receiver share. */
export interface Shared {
  readonly intake: RequestIntake;
  readonly budget: BodyBudget;
}

/** Checks the requests of one transport, passes them to the pipelines, and counts rejections. */
export class RequestIntake {
  readonly #limits: MessageLimits;
  readonly #next: Consumer;
  readonly #defect: Incident;
  readonly #count: (reason: RejectionReason) => void;

  constructor(transport: Transport, { metrics, logger }: ComponentSettings, next: ConsumerFor, limits: MessageLimits) {
    this.#limits = limits;
    this.#next = next(transport);
    this.#defect = new Incident(logger, {
      failing: 'Unexpected error in a pipeline',
      recovered: 'Pipelines accept requests again',
    });
    const counter = metrics.counter(sidecarMetrics.siphon_receiver_rejected_requests);
    counter.startAtZero({ transport });
    this.#count = (reason) => counter.add(1, { transport, reason });
  }

  /**
   * Resolves when the pipelines have accepted the request.
   *
   * @returns the part that they have accepted without keeping it; undefined for none.
   * @throws Error to pass to `reject`.
   */
  async take(signal: Signal, bytes: Uint8Array): Promise<PartialSuccess | undefined> {
    const itemCount = await inSlices(inspectSteps(signal, bytes, this.#limits));
    if (itemCount === 0) return undefined;
    const partial = await this.#next.consume({ signal, chunks: [bytes], itemCount, sizeBytes: bytes.length });
    this.#defect.succeeded();
    return partial ?? undefined;
  }

  /** Counts the request as rejected and returns the answer for its sender. */
  reject(error: unknown): Rejection {
    const rejection = rejectionOf(error);
    this.count(rejection.reason);
    if (rejection.reason === 'internal') this.#defect.failed(error);
    return rejection;
  }

  count(reason: RejectionReason): void {
    this.#count(reason);
  }
}
