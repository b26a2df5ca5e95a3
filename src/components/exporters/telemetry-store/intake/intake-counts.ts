import type { storeDropReasons } from '../../../../metrics/reasons.ts';

export type StoreDropReason = (typeof storeDropReasons)[number];

/** Counts what the store does not take of one request. */
export class IntakeCounts {
  readonly dropped = new Map<StoreDropReason, number>();
  /** Values, attributes, events and links that are too long or too many. */
  cutParts = 0;

  drop(reason: StoreDropReason): void {
    this.dropped.set(reason, (this.dropped.get(reason) ?? 0) + 1);
  }

  cut(parts: number): void {
    this.cutParts += parts;
  }
}
