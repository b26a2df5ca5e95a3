import type { PostgresFailure } from '../../../../postgres/postgres-error.ts';

/** A property of a table that prevents counting, or makes it inexact or expensive. */
export interface TableFlaw {
  /** Why the rows cannot be counted. Undefined: they can. */
  readonly failure?: PostgresFailure;
  readonly what: string;
  readonly repair: string;
}
