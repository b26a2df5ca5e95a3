import { MEASURES, type Budgeted, type Measure } from './cases.ts';
import type { CaseResult } from './measure-case.ts';

const WIDTHS = [26, 24, 10, 10, 8, 18];

export function heading(): string {
  return row(['case', 'measure', 'siphon', 'stock', 'ratio', 'budget']);
}

/** Returns one line per measure. The columns of the stock Collector are empty if it was not measured. */
export function caseLines({ name, budget, limit = {} }: Budgeted, { siphon, stock }: CaseResult): string {
  const measured = (Object.keys(MEASURES) as Measure[]).filter((measure) => siphon?.[measure] !== undefined);
  return measured
    .map((measure, i) => {
      const [own, other] = [siphon?.[measure] ?? 0, stock?.[measure]];
      const ratio = other === undefined ? undefined : own / other;
      const isOver = own > (limit[measure] ?? Infinity) || (ratio ?? 0) > (budget[measure] ?? Infinity);
      const bounds = boundsText(budget[measure], limit[measure], measure);
      return (
        row([i === 0 ? name : '', MEASURES[measure], number(own), number(other), number(ratio), bounds]) +
        (isOver ? ' over' : '')
      );
    })
    .join('\n');
}

function row(cells: readonly string[]): string {
  return cells.map((cell, i) => (i < 2 ? cell.padEnd(WIDTHS[i] ?? 0) : cell.padStart(WIDTHS[i] ?? 0))).join('');
}

function number(value: number | undefined): string {
  if (value === undefined) return '';
  return value < 10 ? value.toFixed(3) : value.toFixed(1);
}

/** The limits of the ratio and of siphon's value. */
function boundsText(budget: number | undefined, limit: number | undefined, measure: Measure): string {
  const ratio = budget === undefined ? [] : [`≤ ${budget}`];
  const own = limit === undefined ? [] : [`≤ ${limit} ${measure === 'span' ? 'µs' : 'ms'}`];
  return [...ratio, ...own].join(', ');
}
