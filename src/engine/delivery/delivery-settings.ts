/** How batches travel from a pipeline to one attempt of an exporter. Absent parts are off. */
export interface DeliverySettings {
  readonly queue?: QueueSettings | undefined;
  readonly retry?: RetrySettings | undefined;
  /** Whether the exporter counts itself what was sent and what failed, because its `consume` only takes batches into a buffer. */
  readonly countsItself?: boolean;
}

export interface QueueSettings {
  /** How many batches are sent at the same time. */
  readonly numConsumers: number;
  /** How much the queue holds, in the unit of `sizer`. */
  readonly queueSize: number;
  readonly sizer: 'requests' | 'items' | 'bytes';
  /** Whether a full queue makes the pipeline wait instead of refusing the batch. */
  readonly blockOnOverflow: boolean;
}

export interface RetrySettings {
  readonly initialIntervalMs: number;
  readonly maxIntervalMs: number;
  /** After this the batch is dropped; 0 means never. */
  readonly maxElapsedTimeMs: number;
  readonly multiplier: number;
  /** 0.5 spreads an interval over ±50 %. */
  readonly randomizationFactor: number;
}
