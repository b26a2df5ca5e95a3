import { PostgresError } from '../../../../postgres/postgres-error.ts';
import type { ReplacedReason } from '../columns.ts';
import { numberOf } from '../columns.ts';
import type { SettledRow } from './counted-table.ts';
import type { CountedMetric, CounterQuery } from '../query.ts';
import type { Occurrence } from './totals.ts';

export interface ReplacedLabel {
  readonly label: string;
  readonly reason: ReplacedReason;
  readonly count: number;
}

export interface Found {
  readonly occurrences: readonly Occurrence[];
  /** For each key with a new event: all its events. Empty for a query without events. */
  readonly seen: ReadonlyMap<string, number>;
  /** The number of rows that are counted for the first time. */
  readonly rowsCounted: number;
  readonly dropped: DroppedValues;
}

/** Why the value of a row is not in the total: it is not a number, or would decrease a counter. */
export const droppedValues = ['not_a_number', 'negative'] as const;

export type DroppedValues = Readonly<Record<(typeof droppedValues)[number], number>>;

export const noneDropped: DroppedValues = { not_a_number: 0, negative: 0 };

/** The only event of rows without events: the row exists. */
const PRESENT = 1;

/** The occurrences in these rows, without the events that are counted already. */
export function occurrencesOf(
  query: CounterQuery,
  rows: readonly SettledRow[],
  eventsOf: (key: string) => number,
): Found {
  const news = rows.map((row) => {
    const known = query.events ? eventsOf(row.key) : 0;
    const holding = query.events ? row.events : PRESENT;
    return { row, known, events: holding & ~known };
  });
  const found = query.metrics.flatMap((metric) => {
    const bit = bitOf(query, metric.event);
    return news.filter(({ events }) => (events & bit) !== 0).map(({ row }) => occurrenceOf(metric, row));
  });
  return {
    occurrences: found.filter((one) => typeof one === 'object'),
    seen: new Map(query.events ? news.filter(({ events }) => events !== 0).map(({ row, known, events }) => [row.key, known | events]) : []), // prettier-ignore
    rowsCounted: news.filter(({ events }) => (events & bitOf(query, query.everyRow)) !== 0).length,
    dropped: {
      not_a_number: found.filter((one) => one === 'not_a_number').length,
      negative: found.filter((one) => one === 'negative').length,
    },
  };
}

/** @throws PostgresError if the labels of a row are hidden. */
export function refuseHidden(rows: readonly SettledRow[]): void {
  if (!rows.some(({ isHidden }) => isHidden)) return;
  throw new PostgresError('permission', 'row level security hides rows that new rows refer to, so new rows wait', {
    repair: 'Let the role read all rows of these tables; `siphon doctor --sql` prints the policies',
  });
}

/** 0 for an event that the query does not have. */
function bitOf({ events }: CounterQuery, event: string | undefined): number {
  if (!events) return PRESENT;
  const place = Object.keys(events).indexOf(event ?? '');
  return place === -1 ? 0 : 1 << place;
}

function occurrenceOf(
  { metric, value }: CountedMetric,
  { details }: SettledRow,
): Occurrence | keyof DroppedValues | undefined {
  if (value === undefined) return { metric, row: details };
  const number = numberOf(details[value]);
  if (number === undefined) return undefined;
  if (!Number.isFinite(number)) return 'not_a_number';
  if (metric.kind === 'counter' && number < 0) return 'negative';
  const column = details[value];
  return { metric, row: details, value: typeof column === 'string' ? column : String(number) };
}
