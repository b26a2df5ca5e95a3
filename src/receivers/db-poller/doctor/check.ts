import type { Finding } from '../../../collector/diagnosis.ts';
import type { Row } from '../../../postgres/read-only-pool.ts';
import type { DbPollerConfig } from '../config.ts';
import type { Pack, PackSchema, TableColumns } from '../pack.ts';

/** The database and what the poller wants of it. */
export interface Examined {
  readonly config: DbPollerConfig;
  readonly packs: readonly Pack[];
  /** Who the poller logs in as, as SQL wants the name. */
  readonly role: string;
  /** One statement in a read-only transaction of its own, within the poller's timeout unless given. @throws PostgresError */
  readonly ask: (text: string, values?: readonly unknown[], timeoutMs?: number) => Promise<readonly Row[]>;
  /** What the role may read of a pack's tables; asked each time. @throws PostgresError */
  readonly schemaOf: (pack: Pack) => Promise<QueriedSchema>;
}

export interface QueriedSchema extends PackSchema {
  missing(needs: TableColumns): readonly string[];
}

/** Looks at one thing. */
export interface Check {
  /** What is looked at, as it stands in “examining …”. */
  readonly about: string;
  /** @throws PostgresError where the database does not answer. */
  find(examined: Examined): AsyncIterable<Finding>;
}

/** A name as SQL wants it where it may have any letters. */
export function quoteName(name: string): string {
  return /^[a-z_][a-z0-9_]*$/.test(name) ? name : `"${name.replaceAll('"', '""')}"`;
}
