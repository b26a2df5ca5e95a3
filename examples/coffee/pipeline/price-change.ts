import { recordPriceChange } from 'siphon-otel/pipeline';

/** A recorded price and the previous one. */
export interface RecordedPrice {
  readonly platformVariantId: string;
  readonly currency: string;
  readonly price: number;
  /** True if the shop marks the price as a sale. */
  readonly isSale: boolean;
  /** Null for the first price of a variant. */
  readonly previousPrice: number | null;
}

/** The first price of a variant is not a change. */
export function isChange({ price, previousPrice }: RecordedPrice): boolean {
  return previousPrice !== null && price !== previousPrice;
}

/**
 * Returns whether the price rose or fell by more than the threshold. Neither the first price of a variant nor one that the
 * shop marks as a sale is a spike.
 */
export function isSpike({ price, previousPrice, isSale }: RecordedPrice, thresholdPercent: number): boolean {
  if (isSale || previousPrice === null || previousPrice === 0) return false;
  return (Math.abs(price - previousPrice) / previousPrice) * 100 > thresholdPercent;
}

/** Call this after the commit, so that prices of a rolled back transaction are not counted. */
export function countChanges(roaster: string, recorded: readonly RecordedPrice[]): void {
  for (const price of recorded) if (isChange(price)) recordPriceChange({ roaster, currency: price.currency });
}
