import type { Finding } from '../../../../engine/component.ts';
import type { Remarks } from '../gauges/ask.ts';
import type { ReplacedReason } from '../columns.ts';
import type { Remark } from '../query.ts';
import type { SeriesReport } from '../gauges/series.ts';

const MAX_NAMED = 5;

/** Counts the rows that yield no point, or a point with a replaced label. */
export class RowsNoticed implements SeriesReport {
  readonly #dropped = { not_a_number: 0, negative: 0, unmergeable: 0 };
  readonly #replaced = new Map<string, number>();

  readonly dropped = (reason: 'not_a_number' | 'negative' | 'unmergeable', count: number): void => {
    this.#dropped[reason] += count;
  };

  /** A value outside of a closed set is expected and not a finding. */
  readonly replaced = (label: string, reason: ReplacedReason, count: number): void => {
    if (reason !== 'unlisted') this.#replaced.set(label, (this.#replaced.get(label) ?? 0) + count);
  };

  /** @param unused columns of the user's SQL that the query does not use. */
  findings(id: string, unused: readonly string[] = []): Finding[] {
    const { not_a_number: notNumbers, negative, unmergeable } = this.#dropped;
    return [
      ...(notNumbers > 0 ? [notANumber(id, notNumbers)] : []),
      ...(negative > 0 ? [negativeValues(id, negative)] : []),
      ...(unmergeable > 0 ? [sameLabels(id, unmergeable, unused)] : []),
      ...[...this.#replaced].map(([label, count]) => overBudget(id, label, count)),
    ];
  }
}

function notANumber(id: string, count: number): Finding {
  return warning(`${id} drops ${count} values that are not numbers`, 'Use a numeric column, or cast it in SQL');
}

function negativeValues(id: string, count: number): Finding {
  const what = `${id} drops ${count} negative values: a counter cannot decrease`;
  return warning(what, 'Add a condition to where, and count the others by a query of their own, with value: -COLUMN');
}

function sameLabels(id: string, count: number, unused: readonly string[]): Finding {
  const label = unused.length === 0 ? '' : `, or add columns to labels that distinguish them: ${unused.join(', ')}`;
  const what = `${id} drops ${count} series: several rows have the same labels`;
  return warning(what, `Aggregate the rows in SQL${label}`);
}

function overBudget(id: string, label: string, count: number): Finding {
  const what = `${id} publishes ${count} rows as other: ${label} has too many or too long values`;
  return warning(what, 'Use a column with fewer values, or raise max_label_values');
}

/** The remarks of one query. */
export function remarkFindings(id: string, remarks: Remarks): Finding[] {
  return [...remarks].map(([remark, subjects]) => {
    const named = subjects.slice(0, MAX_NAMED).join(', ');
    const rest = subjects.length > MAX_NAMED ? ` and ${subjects.length - MAX_NAMED} more` : '';
    const { what, repair } = said[remark];
    return warning(`${id} ${what}: ${named}${rest}`, repair);
  });
}

const said: Readonly<Record<Remark, { readonly what: string; readonly repair: string }>> = {
  invalid_cron: {
    what: 'ignores invalid or never-matching cron expressions',
    repair: 'Use five fields (minute hour day month weekday) or an alias such as @weekly',
  },
  missing_table: {
    what: 'has no series for listed tables that do not exist',
    repair: 'List them as schema.table, spelled as in pg_class, or remove them',
  },
};

function warning(what: string, repair: string): Finding {
  return { severity: 'warning', what, repair };
}
