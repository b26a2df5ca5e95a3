/** All groups. The key is the name of the query: in the configuration, and as `postgres_health.<key>` in metrics and logs. */
import { activity } from './activity.ts';
import { archiver } from './archiver.ts';
import { bloat } from './bloat.ts';
import { checkpoints } from './checkpoints.ts';
import { connections } from './connections.ts';
import { databaseSizes } from './database-sizes.ts';
import { databases } from './databases.ts';
import { indexes } from './indexes.ts';
import { io } from './io.ts';
import { locks } from './locks.ts';
import { replication } from './replication.ts';
import { sequences } from './sequences.ts';
import { server } from './server.ts';
import { size } from './size.ts';
import { slots } from './slots.ts';
import { standby } from './standby.ts';
import { statements } from './statements.ts';
import { statistics } from './statistics.ts';
import { subscriptions } from './subscriptions.ts';
import { tables } from './tables.ts';
import { wal } from './wal.ts';
import { walFiles } from './wal-files.ts';

export const groups = {
  server,
  connections,
  activity,
  locks,
  statistics,
  statements,
  io,
  checkpoints,
  wal,
  wal_files: walFiles,
  archiver,
  replication,
  slots,
  subscriptions,
  standby,
  databases,
  database_sizes: databaseSizes,
  size,
  tables,
  bloat,
  indexes,
  sequences,
} as const;

type Groups = typeof groups;
type Intersection<Union> = (Union extends unknown ? (one: Union) => void : never) extends (all: infer All) => void
  ? All
  : never;

/** The metrics of all groups. */
export const groupMetrics = Object.assign({}, ...Object.values(groups).map(({ metrics }) => metrics)) as Intersection<
  Groups[keyof Groups]['metrics']
>;
