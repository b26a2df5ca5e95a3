import type { SeenLockWait } from '../engine/stored-telemetry.ts';
import type { NumberTable } from './database-tables.ts';
import { textOf } from './unit-text.ts';

/** The database, as the poller sees it: numbers from the history, and waits for locks from the store. */
export interface DatabaseState extends Partial<Waits> {
  readonly atUnixMs: number;
  readonly tables: readonly TableState[];
  /** Sentences that name missing components, and how to add them. */
  readonly missing: readonly string[];
}

/** Absent if there is no store. */
export interface Waits {
  readonly lockWaits: readonly SeenLockWait[];
  /** How many more the store has. */
  readonly left: number;
}

export interface TableState extends Pick<NumberTable, 'title' | 'labels' | 'columns' | 'empty'> {
  /** How many seconds ago the database was asked; absent if that is not known. */
  readonly readS?: number;
  /** The reason why numbers are missing; absent if none is. */
  readonly gap?: string;
  readonly lines: readonly TableLine[];
  readonly left: number;
}

export interface TableLine {
  readonly labels: readonly string[];
  /** One for each column; null where nothing is known. */
  readonly values: readonly (number | null)[];
}

/** Describes the age of the numbers in a table; empty if it is not known. */
export function readText({ readS }: Pick<TableState, 'readS'>): string {
  return readS === undefined ? '' : `read ${textOf(readS, 's')} ago`;
}
