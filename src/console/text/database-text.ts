import { readText, type DatabaseState, type TableState } from '../database-state.ts';
import { isGoingOn, lockWaitLines, noWaitsText, waitingSessionText } from '../lock-wait-text.ts';
import { fitted, oneLine } from '../store-text.ts';
import { textOf } from '../unit-text.ts';
import { tableText } from './table-text.ts';

/** A statement is longer than a terminal is wide. */
const MOST_OF_LABEL = 60;

/** The database as lines for a terminal: who waits for whom, then tables of numbers. */
export function databaseText(state: DatabaseState): string {
  const { tables, lockWaits = [], left = 0, missing } = state;
  return [
    ...missing,
    lockWaits.some(isGoingOn) ? 'Waits for locks' : noWaitsText(state),
    ...lockWaits.flatMap((wait) => [
      waitingSessionText(wait),
      ...lockWaitLines(wait).map(({ text, depth }) => `${'  '.repeat(depth + 1)}${oneLine(text)}`),
    ]),
    ...(left > 0 ? [`${left} more waits are in the store`] : []),
    ...tables.flatMap((table) => ['', ...tableLines(table)]),
  ].join('\n');
}

function tableLines(table: TableState): readonly string[] {
  const { title, labels, columns, lines, left, empty, gap } = table;
  if (lines.length === 0) return [title, `  ${empty}`];
  const cells = [
    [...labels, ...columns.map(({ name }) => name)].map((name) => name.toUpperCase()),
    ...lines.map((line) => [
      ...line.labels.map((label) => fitted(oneLine(label), MOST_OF_LABEL)),
      ...line.values.map((value, index) => (value === null ? '-' : textOf(value, columns[index]?.unit ?? ''))),
    ]),
  ];
  return [
    [title, readText(table)].filter((text) => text !== '').join(', '),
    ...tableText(cells, labels.length),
    ...(left > 0 ? [`… and ${left} more`] : []),
    ...(gap === undefined ? [] : [gap]),
  ];
}
