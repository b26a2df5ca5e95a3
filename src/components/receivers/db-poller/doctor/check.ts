import type { Finding } from '../../../../engine/component.ts';
import type { ReadOnlyPool, Row } from '../../../../postgres/read-only-pool.ts';
import type { DbPollerConfig } from '../config.ts';
import type { ConfiguredPack, PlannedQuery } from '../plan.ts';
import type { UserCounterConfig } from '../user-queries/config.ts';
import type { UserTable } from '../user-queries/table.ts';
import type { QueriedSchema } from '../run/schema.ts';

/** The database, and what the poller needs from it. */
export interface Examined {
  readonly config: DbPollerConfig;
  readonly packs: readonly ConfiguredPack[];
  /** The role that the poller logs in as, as an SQL name. */
  readonly role: string;
  /** The server's `server_version_num`. */
  readonly version: number;
  /** The queries that the poller would run. */
  readonly planned: readonly PlannedQuery[];
  /** Like the poller's pool, with one connection. */
  readonly pool: ReadOnlyPool;
  /** The further databases that the poller reads. */
  readonly further: readonly string[];
  /** Runs one statement in its own read-only transaction, by default with the poller's timeout. @throws PostgresError */
  readonly ask: (text: string, values?: readonly unknown[], timeoutMs?: number) => Promise<readonly Row[]>;
  /** The columns of a pack's tables that the role may read. @throws PostgresError */
  readonly schemaOf: (pack: ConfiguredPack) => Promise<QueriedSchema>;
  /** The table of a counter of the user. @throws PostgresError */
  readonly tableOf: (config: UserCounterConfig) => Promise<UserTable>;
}

/** Examines one subject. */
export interface Check {
  /** The subject, as in “examines …”. */
  readonly about: string;
  /** @throws PostgresError if the database does not answer */
  find(examined: Examined): AsyncIterable<Finding>;
}
