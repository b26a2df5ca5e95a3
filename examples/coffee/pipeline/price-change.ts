import { recordPriceChange } from 'siphon-otel/pipeline';

/** A price that was recorded, beside the one before it. */
export interface RecordedPrice {
  readonly platformVariantId: string;
  readonly currency: string;
  readonly price: number;
  /** Null for the first price of a variant. */
  readonly previousPrice: number | null;
}

/** A first price is no change. */
export function isChange({ price, previousPrice }: RecordedPrice): boolean {
  return previousPrice !== null && price !== previousPrice;
}

/** Whether the price moved, in either direction, by more than the threshold. A first price is no movement. */
export function isSpike({ price, previousPrice }: RecordedPrice, thresholdPercent: number): boolean {
  if (previousPrice === null || previousPrice === 0) return false;
  return (Math.abs(price - previousPrice) / previousPrice) * 100 > thresholdPercent;
}

/** To be called once the prices are committed: what is rolled back was never recorded. */
export function countChanges(roaster: string, recorded: readonly RecordedPrice[]): void {
  for (const price of recorded) if (isChange(price)) recordPriceChange({ roaster, currency: price.currency });
}
