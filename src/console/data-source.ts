/** The source of the console's data. It throws an `Error` with a message that a reader can act on. */
export interface DataSource {
  /** The values that a label has among the series, within the time; sorted. */
  labelValues(label: string, series: string, time: Span): Promise<readonly string[]>;
  /** The value of an expression at one time. */
  at(expression: string, atS: number): Promise<readonly Sample[]>;
  /** The values of an expression at each step, from the first to the last. */
  over(expression: string, steps: Steps): Promise<readonly Series[]>;
  /** The observations with a trace that were kept, within the time, of the series that an expression asks for. */
  exemplars(expression: string, time: Span): Promise<readonly Exemplar[]>;
}

export type Labels = Readonly<Record<string, string>>;

/** Unix time in seconds. */
export interface Span {
  readonly fromS: number;
  readonly toS: number;
}

export interface Steps extends Span {
  readonly stepS: number;
}

export interface Sample {
  readonly labels: Labels;
  readonly value: number;
}

export interface Series {
  readonly labels: Labels;
  /** One for each step; null where nothing is known. */
  readonly values: readonly (number | null)[];
}

export interface Exemplar {
  /** Its own labels, among them the trace; not those of its series. */
  readonly labels: Labels;
  readonly timeS: number;
  readonly value: number;
}

/** The moments of the steps. */
export function momentsOf({ fromS, toS, stepS }: Steps): readonly number[] {
  return Array.from({ length: Math.floor((toS - fromS) / stepS) + 1 }, (_, index) => fromS + index * stepS);
}
