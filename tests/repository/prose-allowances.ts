/** How many findings a folder or file may still have. The numbers only go down. */
export interface Allowance {
  readonly folder: string;
  readonly texts: number;
  readonly comments: number;
}

export const ALLOWANCES: readonly Allowance[] = [];
