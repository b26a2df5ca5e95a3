import { createHash } from 'node:crypto';

const moveProbability = 0.05;
const soldOutProbability = 0.1;
/** Keeps two moves in a row below the spike threshold of every roaster. */
const calmShare = 0.5;
const spikeFactor = 1.6;
const spikeEveryGenerations = 5;
/** The number of generations in which the last move of a variant is searched; without a move, the recorded price applies. */
const memoryGenerations = 100;

/** The prices and stock of a shop: generation 0 is the recorded feed, and each generation moves a few prices. */
export interface Market {
  readonly seed: string;
  readonly generation: number;
  /** Raises every price by 60 %. */
  readonly spiking: boolean;
  /** Leaves out every second product. */
  readonly isHalved: boolean;
  readonly isSoldOut: boolean;
  /** Halves the moves and disables the regular spike of one variant. */
  readonly isCalm: boolean;
}

/** The factor for a recorded price: between 0.94 and 1.08, except for one variant in every fifth generation. */
export function priceFactor(market: Market, variantId: number, isFirst: boolean): number {
  const { seed, generation, spiking, isCalm } = market;
  const spikes = spiking || (isFirst && !isCalm && generation % spikeEveryGenerations === 1);
  const moved = movedFactor(seed, generation, variantId) - 1;
  return (spikes ? spikeFactor : 1) * (1 + (isCalm ? calmShare : 1) * moved);
}

/** The products that the shop lists. */
export function listed<Product>({ isHalved }: Market, products: readonly Product[]): readonly Product[] {
  return isHalved ? products.filter((_, index) => index % 2 === 0) : products;
}

export function isInStock({ seed, generation, isSoldOut }: Market, variantId: number, recorded: boolean): boolean {
  if (isSoldOut) return false;
  if (generation === 0) return recorded;
  return recorded && seededFraction(seed, 'stock', variantId, generation) >= soldOutProbability;
}

function movedFactor(seed: string, generation: number, variantId: number): number {
  for (let at = generation; at > Math.max(0, generation - memoryGenerations); at--) {
    if (seededFraction(seed, 'move', variantId, at) < moveProbability) {
      return 0.94 + 0.14 * seededFraction(seed, 'factor', variantId, at);
    }
  }
  return 1;
}

/** A number in [0, 1) that depends only on its arguments, so that a run with the same seed repeats exactly. */
export function seededFraction(...parts: readonly (string | number)[]): number {
  return createHash('sha256').update(parts.join('\0')).digest().readUInt32BE() / 2 ** 32;
}
