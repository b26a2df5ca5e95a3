import type { Exemplar, Steps } from './data-source.ts';
import { traceIdOf } from './trace.ts';

/** With more dots they overlap, and cannot be clicked. */
const MOST = 48;

/** The largest exemplar with a trace in each short interval, ordered by time: readers look for slow requests. */
export function chosenExemplars(
  exemplars: readonly Exemplar[],
  { fromS, toS }: Pick<Steps, 'fromS' | 'toS'>,
): readonly Exemplar[] {
  const largest = new Map<number, Exemplar>();
  for (const exemplar of exemplars) {
    const { timeS, value, labels } = exemplar;
    if (traceIdOf(labels) === undefined || !Number.isFinite(value) || !(timeS >= fromS && timeS <= toS)) continue;
    const slot = Math.floor(((timeS - fromS) / (toS - fromS)) * MOST);
    const known = largest.get(slot);
    if (known === undefined || known.value < value) largest.set(slot, exemplar);
  }
  return [...largest.values()].toSorted((one, other) => one.timeS - other.timeS);
}
