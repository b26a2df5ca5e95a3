/** How a comparison of traces reads, in a terminal and on the page. */
import type { ComparedTraces } from '../engine/stored-telemetry.ts';
import { counted } from './store-text.ts';

/** Describes what was compared, and what it means if nothing differs. */
export function comparisonText({
  hint,
  compares,
  selectedTraces,
  aroundTraces,
  tested,
  differences,
}: ComparedTraces): string {
  const traces = `${counted(selectedTraces, 'trace')} selected, ${aroundTraces} around`;
  if (hint !== undefined) return hint;
  if (tested === 0) return `${traces}: too few to compare`;
  if (differences.length === 0) return `${traces}: nothing differs, among ${counted(tested, 'property', 'properties')}`;
  const shares =
    compares === 'rise'
      ? `the shares are of all traces with the property, within the time and outside of it${newText(differences)}`
      : 'the shares are of all selected traces, and of all around';
  return `${traces}; ${shares}`;
}

/** Describes the difference of a property that only traces within the time have. */
function newText(differences: ComparedTraces['differences']): string {
  return differences.some(({ around }) => around.of === 0)
    ? '; what no trace outside of it has is compared with the other traces within the time'
    : '';
}

/** A share as a whole percentage. */
export function percentText(share: number): string {
  return `${Math.round(share * 100)} %`;
}
