/** The values that a template may use. */
export interface AlertData {
  readonly labels: ReadonlyMap<string, string>;
  readonly value: number;
}

export type Value = string | number;
