import type { ComponentSettings, Consumer, ConsumerFor, Signal, Transport } from '../../../engine/component.ts';
import type { RejectionReason } from '../../../metrics/reasons.ts';
import { sidecarMetrics } from '../../../metrics/self.ts';
import { inspectRequest } from '../../../engine/otlp/inspect-request.ts';
import { Incident } from '../../../engine/incident.ts';
import { rejectionOf, type Rejection } from './rejection.ts';

/** Checks the requests of one transport, passes them to the pipelines, and counts rejections. */
export class RequestIntake {
  readonly #next: Consumer;
  readonly #defect: Incident;
  readonly #count: (reason: RejectionReason) => void;

  constructor(transport: Transport, { metrics, logger }: ComponentSettings, next: ConsumerFor) {
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
   * @throws Error to pass to `reject`.
   */
  async take(signal: Signal, bytes: Uint8Array): Promise<void> {
    const itemCount = inspectRequest(signal, bytes);
    if (itemCount === 0) return;
    await this.#next.consume({ signal, chunks: [bytes], itemCount, sizeBytes: bytes.length });
    this.#defect.succeeded();
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
