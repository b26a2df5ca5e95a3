import { MEASURES, type BenchCase, type Measure } from './cases.ts';
import type { CaseResult } from './measure-case.ts';

const WIDTHS = [26, 18, 10, 10, 8, 8];

export function heading(): string {
  return row(['case', 'measure', 'siphon', 'stock', 'ratio', 'budget']);
}

/** One line a measure; without a stock Collector, siphon's numbers stand alone. */
export function caseLines({ name, budget }: BenchCase, { siphon, stock }: CaseResult): string {
  return (Object.keys(MEASURES) as Measure[])
    .map((measure, i) => {
      const [own, other] = [siphon?.[measure], stock?.[measure]];
      const ratio = own === undefined || other === undefined ? undefined : own / other;
      const over = ratio !== undefined && ratio > (budget[measure] ?? Infinity) ? ' over' : '';
      return (
        row([
          i === 0 ? name : '',
          MEASURES[measure],
          number(own),
          number(other),
          number(ratio),
          budgetText(budget[measure]),
        ]) + over
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

function budgetText(budget: number | undefined): string {
  return budget === undefined ? '' : `≤ ${budget}`;
}
