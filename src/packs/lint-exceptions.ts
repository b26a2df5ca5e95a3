/** Where a rule does not hold, and why. */
export interface LintException {
  readonly rule: 'legend' | 'unit' | 'matchers' | 'variables' | 'window' | 'exemplars' | 'complete';
  /** `<dashboard>: <panel>`. */
  readonly where: string;
  readonly reason: string;
}

export const lintExceptions: readonly LintException[] = [];
