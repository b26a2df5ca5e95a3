/** How the health of a scraping pipeline is computed. Components and inputs are shown by `pipeline_health_*`. */

export interface HealthComponent {
  /** What the input is, in words. */
  readonly input: string;
  /** Share of the total; all weights together are 100. */
  readonly weight: number;
  /** The input, in percent, at which the component scores 0, and the one at which it scores 100; straight between them. */
  readonly scoresZeroAt: number;
  readonly scoresFullAt: number;
}

export const healthComponents = {
  runs: {
    input: 'Share of the runs started within the health window that ended ok, of those that ended',
    weight: 30,
    scoresZeroAt: 0,
    scoresFullAt: 100,
  },
  freshness: {
    input: 'Share of the cadences of active roasters that are not overdue',
    weight: 40,
    scoresZeroAt: 0,
    scoresFullAt: 100,
  },
  review: {
    input: 'Share of the coffees with a processing status that wait for review',
    weight: 20,
    scoresZeroAt: 50,
    scoresFullAt: 0,
  },
  stock: {
    input: 'Share of the active variants that are in stock',
    weight: 10,
    scoresZeroAt: 0,
    scoresFullAt: 100,
  },
} as const satisfies Record<string, HealthComponent>;

export type HealthComponentName = keyof typeof healthComponents;

export const healthComponentNames = Object.keys(healthComponents) as readonly HealthComponentName[];

/** In percent; a component that is not there is unknown. */
export type HealthInputs = Partial<Readonly<Record<HealthComponentName, number>>>;

/** 0 (broken) to 100 (well). */
export function componentScore(name: HealthComponentName, inputPercent: number): number {
  const { scoresZeroAt, scoresFullAt } = healthComponents[name];
  const share = (inputPercent - scoresZeroAt) / (scoresFullAt - scoresZeroAt);
  return 100 * Math.min(1, Math.max(0, share));
}

/** The weighted mean; undefined while any component is unknown, because a part that nobody sees may be the broken one. */
export function totalScore(inputs: HealthInputs): number | undefined {
  let total = 0;
  for (const name of healthComponentNames) {
    const input = inputs[name];
    if (input === undefined) return undefined;
    total += (healthComponents[name].weight / 100) * componentScore(name, input);
  }
  return total;
}
