import type { Finding } from '../../../../engine/component.ts';
import type { ReadOnlyPool, Row } from '../../../../postgres/read-only-pool.ts';
import type { DbPollerConfig } from '../config.ts';
import type { ConfiguredPack, PlannedQuery } from '../plan.ts';
import type { UserCounterConfig } from '../user-queries/config.ts';
import type { UserTable } from '../user-queries/table.ts';
import type { QueriedSchema } from '../run/schema.ts';

/** The database and what the poller wants of it. */
export interface Examined {
  readonly config: DbPollerConfig;
  readonly packs: readonly ConfiguredPack[];
  /** Who the poller logs in as, as SQL wants the name. */
  readonly role: string;
  /** What the poller would run. */
  readonly planned: readonly PlannedQuery[];
  /** As the poller's, with one connection. */
  readonly pool: ReadOnlyPool;
  /** One statement in a read-only transaction of its own, within the poller's timeout unless given. @throws PostgresError */
  readonly ask: (text: string, values?: readonly unknown[], timeoutMs?: number) => Promise<readonly Row[]>;
  /** What the role may read of a pack's tables. @throws PostgresError */
  readonly schemaOf: (pack: ConfiguredPack) => Promise<QueriedSchema>;
  /** What the database has of the table of a query of the user's. @throws PostgresError */
  readonly tableOf: (config: UserCounterConfig) => Promise<UserTable>;
}

/** Looks at one thing. */
export interface Check {
  /** What is looked at, as it stands in “examining …”. */
  readonly about: string;
  /** @throws PostgresError where the database does not answer. */
  find(examined: Examined): AsyncIterable<Finding>;
}
