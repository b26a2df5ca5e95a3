import { seededFraction } from './seeded-fraction.ts';

const moveProbability = 0.05;
const soldOutProbability = 0.1;
/** Less than what any roaster takes for a spike, however two moves follow each other. */
const calmShare = 0.5;
const spikeFactor = 1.6;
const spikeEveryGenerations = 5;
/** How far back a variant's last move is looked for; before that, it has the recorded price. */
const memoryGenerations = 100;

/** The state of a shop: `generation` 0 is what was recorded, each next one has moved a little. */
export interface Market {
  readonly seed: string;
  readonly generation: number;
  /** Every price far above what it was. */
  readonly spiking: boolean;
  /** Prices move half as far, and none far beyond the others by itself. */
  readonly isCalm: boolean;
}

/** What a recorded price is multiplied by: within 8 % of it, but for one variant in every fifth generation. */
export function priceFactor(market: Market, variantId: number, isFirst: boolean): number {
  const { seed, generation, spiking, isCalm } = market;
  const spikes = spiking || (isFirst && !isCalm && generation % spikeEveryGenerations === 1);
  const moved = movedFactor(seed, generation, variantId) - 1;
  return (spikes ? spikeFactor : 1) * (1 + (isCalm ? calmShare : 1) * moved);
}

export function isInStock({ seed, generation }: Market, variantId: number, recorded: boolean): boolean {
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
