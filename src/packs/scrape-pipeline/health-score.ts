/** The computation of the pipeline's health. The metrics `pipeline_health_*` show components and inputs. */

export interface HealthComponent {
  /** A description of the input. */
  readonly input: string;
  /** Share of the total; all weights together are 100. */
  readonly weight: number;
  /** Has the weight of this component too where the database lacks the columns of its input. */
  readonly standIn?: 'freshness';
  /** Inputs in percent at which the component scores 0 and 100, linear between them. */
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
    weight: 20,
    scoresZeroAt: 0,
    scoresFullAt: 100,
  },
  checked: {
    input: 'Share of the active variants whose price was checked within price_stale_after',
    weight: 20,
    standIn: 'freshness',
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

/** In percent. A missing component is unknown. */
export type HealthInputs = Partial<Readonly<Record<HealthComponentName, number>>>;

/** 0 (broken) to 100 (well). */
export function componentScore(name: HealthComponentName, inputPercent: number): number {
  const { scoresZeroAt, scoresFullAt } = healthComponents[name];
  const share = (inputPercent - scoresZeroAt) / (scoresFullAt - scoresZeroAt);
  return 100 * Math.min(1, Math.max(0, share));
}

/** Components whose input the database cannot have, because it lacks the columns. */
export type Unavailable = ReadonlySet<HealthComponentName>;

/** Components that count in the total and are unknown. */
export function unknownComponents(inputs: HealthInputs, unavailable: Unavailable): readonly HealthComponentName[] {
  return healthComponentNames.filter((name) => inputs[judgedBy(name, unavailable)] === undefined);
}

/** The weighted mean. Undefined while any component is unknown, because that component may be the broken one. */
export function totalScore(inputs: HealthInputs, unavailable: Unavailable): number | undefined {
  let total = 0;
  for (const name of healthComponentNames) {
    const judge = judgedBy(name, unavailable);
    const input = inputs[judge];
    if (input === undefined) return undefined;
    total += (healthComponents[name].weight / 100) * componentScore(judge, input);
  }
  return total;
}

function judgedBy(name: HealthComponentName, unavailable: Unavailable): HealthComponentName {
  const { standIn }: HealthComponent = healthComponents[name];
  return standIn !== undefined && unavailable.has(name) ? standIn : name;
}
