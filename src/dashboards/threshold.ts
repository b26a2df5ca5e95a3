/** The end of a bar whose value has no limit of its own: the bar is two thirds full at the critical limit. */
export function roomAbove(critical: number): number {
  return critical * 1.5;
}

/** The limits from which a value deserves attention. Panels take their colours from them, alerts their limits. */
export interface Threshold {
  /** Which side of the limits is bad. */
  readonly bad: 'above' | 'below';
  /** UCUM; the unit of the values that are compared. */
  readonly unit: string;
  /** Look at it today. */
  readonly warning?: number;
  /** Page someone. */
  readonly critical?: number;
  /** Why these numbers. */
  readonly why: string;
}
