import type { replacedReasons } from '../../../metrics/reasons.ts';
import type { BudgetedLabel, ClosedLabel, Labels } from '../../../metrics/metric.ts';
import { decimalOf } from '../../../postgres/polling/decimal.ts';
import type { Row } from '../../../postgres/read-only-pool.ts';

const MAX_LENGTH = 128;

/** Why a label value is published as `other` or `unknown`. */
export type ReplacedReason = (typeof replacedReasons)[number];

export type ReportReplaced = (label: string, reason: ReplacedReason, count: number) => void;

/**
 * Converts label columns to label values that the metric's description allows. NULL becomes `unknown`, any other value
 * that is not allowed becomes `other`. A closed set with only one of the two uses it for both.
 */
export class LabelValues {
  /** The values within the budget of each label, as of the latest poll. */
  readonly #admitted = new Map<string, ReadonlySet<string>>();

  /** Returns a function for one set of rows. Values that were within the budget stay within it while they are present. */
  reader(rows: readonly Row[], report: ReportReplaced): (row: Row, labels: Labels) => Record<string, string> {
    const admit = new Map<string, ReadonlySet<string>>();
    const admitted = (label: string, budget: BudgetedLabel): ReadonlySet<string> => {
      const known = admit.get(label) ?? this.#admit(label, budget, rows);
      admit.set(label, known);
      return known;
    };
    return (row, labels) =>
      Object.fromEntries(
        Object.entries(labels).map(([label, values]) => {
          const kept = labelValue(row[label], values, (text, budget) => admitted(label, budget).has(text));
          if (kept.reason) report(label, kept.reason, 1);
          return [label, kept.value];
        }),
      );
  }

  #admit(label: string, budget: BudgetedLabel, rows: readonly Row[]): ReadonlySet<string> {
    const present = new Set(rows.map((row) => textOf(row[label])).filter((text) => text !== undefined));
    const previous = this.#admitted.get(label) ?? new Set();
    const staying = [...present].filter((text) => previous.has(text));
    const coming = [...present].filter((text) => !previous.has(text) && text.length <= MAX_LENGTH).toSorted();
    const admitted = new Set([...staying, ...coming].slice(0, budget.maxValues));
    this.#admitted.set(label, admitted);
    return admitted;
  }
}

/** The number in a column: undefined for NULL, NaN for any other value. node-pg returns bigint and numeric as text. */
export function numberOf(column: unknown): number | undefined {
  if (column === null || column === undefined) return undefined;
  if (typeof column === 'string') return decimalOf(column.trim()) ?? Number.NaN;
  return typeof column === 'number' || typeof column === 'boolean' ? Number(column) : Number.NaN;
}

export interface Kept {
  readonly value: string;
  readonly reason?: ReplacedReason;
}

/**
 * Converts one label of one row.
 *
 * @param admit whether a value is within the budget.
 */
export function labelValue(
  column: unknown,
  values: ClosedLabel | BudgetedLabel,
  admit: (text: string, budget: BudgetedLabel) => boolean,
): Kept {
  if (!isClosed(values) && values.constant !== undefined) return { value: values.constant };
  const text = textOf(column);
  return isClosed(values) ? inClosedSet(text, values) : inBudget(text, (known) => admit(known, values));
}

function inClosedSet(text: string | undefined, set: ClosedLabel): Kept {
  const [first, second] = text === undefined ? ['unknown', 'other'] : ['other', 'unknown'];
  const fallback = set.includes(first) || !set.includes(second) ? first : second;
  if (text === undefined) return { value: fallback };
  return set.includes(text) ? { value: text } : { value: fallback, reason: 'unlisted' };
}

function inBudget(text: string | undefined, admit: (text: string) => boolean): Kept {
  if (text === undefined) return { value: 'unknown' };
  if (text.length > MAX_LENGTH) return { value: 'other', reason: 'too_long' };
  return admit(text) ? { value: text } : { value: 'other', reason: 'budget' };
}

function textOf(value: unknown): string | undefined {
  return (value as string | number | boolean | null | undefined)?.toString();
}

function isClosed(values: ClosedLabel | BudgetedLabel): values is ClosedLabel {
  return Array.isArray(values);
}
