import { max, min, sum } from '../../../dashboards/promql/aggregate.ts';
import { and, compare, ratio } from '../../../dashboards/promql/arithmetic.ts';
import { alert, type Alert } from '../../../dashboards/rules/alert.ts';
import { increase, latest } from '../dashboards/promql.ts';
import { thresholds } from '../thresholds.ts';
import { heldByPoller } from './when-missing.ts';

const dead = sum(latest('database_table_rows', { state: 'dead' }), ['instance', 'table']);

/** Fewer dead rows cost nothing, whatever their share is. Beyond them autovacuum starts long before the limit. */
const MANY_ROWS = 10_000;

/** Alerts on work that the server must do in time: vacuum, freezing, archiving, removing its log. */
export const maintenanceAlerts: readonly Alert[] = [
  alert({
    name: 'FreezeAgeHigh',
    owner: 'database',
    measured: max(latest('database_freeze_age'), ['instance']),
    raisedBy: { threshold: thresholds.freeze_age },
    level: { critical: 'page' },
    for: '15m',
    keepFiringFor: '1h',
    summary: () => 'Old rows are not frozen in time',
    description: ({ instance, value }, limit) =>
      `The oldest unfrozen row is ${value} transactions old, according to ${instance} (limit ${limit}). PostgreSQL stops accepting writes shortly before 2147483648.`,
    whenMissing: heldByPoller,
    panel: { dashboard: 'siphon-database', title: 'Freeze age' },
  }),
  alert({
    name: 'MultixactAgeHigh',
    owner: 'database',
    measured: max(latest('database_server_multixact_age'), ['instance']),
    raisedBy: { threshold: thresholds.multixact_age },
    level: { critical: 'page' },
    for: '15m',
    keepFiringFor: '1h',
    summary: () => 'Old multixacts are not frozen in time',
    description: ({ instance, value }, limit) =>
      `The oldest multixact of the server is ${value} multixacts old, according to ${instance} (limit ${limit}). PostgreSQL stops accepting row locks shortly before 2147483648.`,
    whenMissing: heldByPoller,
    panel: { dashboard: 'siphon-database', title: 'Multixact age' },
  }),
  alert({
    name: 'DeadRowsHigh',
    owner: 'database',
    measured: ratio(dead, sum(latest('database_table_rows'), ['instance', 'table'])),
    guard: compare(dead, '>=', MANY_ROWS),
    raisedBy: { threshold: thresholds.dead_rows },
    level: { warning: 'info' },
    // Vacuum of a large table takes its time.
    for: '1h',
    keepFiringFor: '10m',
    summary: ({ table }) => `Vacuum does not keep up with ${table}`,
    description: ({ instance, table, value }, limit) =>
      `${value} of the rows of ${table} are dead, and autovacuum has not removed them for an hour, according to ${instance} (limit ${limit}).`,
    whenMissing: `${heldByPoller} It is also silent for tables without series (settings top_tables and tables), with fewer than 10,000 dead rows, and on a standby.`,
    panel: { dashboard: 'siphon-database', title: 'Tables' },
  }),
  alert({
    name: 'XminAgeHigh',
    owner: 'database',
    measured: max(latest('database_xmin_age'), ['instance']),
    raisedBy: { threshold: thresholds.xmin_age },
    level: { warning: 'info' },
    for: '5m',
    keepFiringFor: '3m',
    summary: () => 'An old snapshot holds back vacuum',
    description: ({ instance, value }, limit) =>
      `The oldest snapshot is ${value} transactions old, according to ${instance} (limit ${limit}). No row that was deleted since can be removed.`,
    whenMissing: heldByPoller,
    panel: { dashboard: 'siphon-database', title: 'Old rows that must be kept' },
  }),
  alert({
    name: 'SlotUnused',
    owner: 'database',
    measured: and(
      max(latest('database_slot_retained_bytes'), ['instance', 'slot']),
      compare(min(latest('database_slot_active'), ['instance', 'slot']), '==', 0),
    ),
    raisedBy: { threshold: thresholds.slot_retained },
    level: { critical: 'page' },
    for: '15m',
    keepFiringFor: '10m',
    summary: ({ slot }) => `The replication slot ${slot} fills the disk`,
    description: ({ instance, slot, value }, limit) =>
      `No client uses the slot ${slot}, and the server keeps ${value} of write-ahead log for it, according to ${instance} (limit ${limit}).`,
    whenMissing: `${heldByPoller} Only the twenty slots that keep most have series.`,
    panel: { dashboard: 'siphon-database', title: 'Kept for replication slots' },
  }),
  alert({
    name: 'ArchivingFails',
    owner: 'database',
    measured: compare(max(latest('database_wal_archive_failing'), ['instance']), '>', 0),
    raisedBy: { severity: 'warning' },
    for: '15m',
    keepFiringFor: '3m',
    summary: () => 'The write-ahead log is not archived',
    description: ({ instance }) =>
      `archive_command has failed for 15 minutes, according to ${instance}. Backups have a gap, and the log stays on the disk until it is archived.`,
    whenMissing: `${heldByPoller} It is also silent while archive_mode is off.`,
    panel: { dashboard: 'siphon-database', title: 'Archiving fails' },
  }),
  alert({
    name: 'SequenceNearEnd',
    owner: 'database',
    measured: max(latest('database_sequence_used_ratio'), ['instance', 'sequence']),
    raisedBy: { threshold: thresholds.sequence_used },
    for: '5m',
    keepFiringFor: '30m',
    summary: ({ sequence }) => `The sequence ${sequence} ends soon`,
    description: ({ instance, sequence, value }, limit) =>
      `${value} of the values of ${sequence} are used, according to ${instance} (limit ${limit}). At its end every insert fails.`,
    whenMissing: `${heldByPoller} Only the five sequences nearest to their end have series, and none that the role may not read.`,
    panel: { dashboard: 'siphon-database', title: 'Sequences' },
  }),
  alert({
    name: 'InvalidIndexes',
    owner: 'database',
    measured: compare(max(latest('database_indexes_problem', { problem: 'invalid' }), ['instance']), '>', 0),
    raisedBy: { severity: 'warning' },
    level: { warning: 'info' },
    // CREATE INDEX CONCURRENTLY on a large table takes hours, and its index is invalid until it ends.
    for: '6h',
    keepFiringFor: '2h',
    summary: () => 'An index is invalid',
    description: ({ instance, value }) =>
      `${value} indexes have been invalid for six hours, according to ${instance}. Queries do not use them, a unique one does not guarantee anything, and each write updates them.`,
    whenMissing: heldByPoller,
    panel: { dashboard: 'siphon-database', title: 'Indexes with a problem' },
  }),
  alert({
    name: 'ChecksumFailures',
    owner: 'database',
    measured: compare(sum(increase('database_checksum_failures_total', '1h'), ['instance']), '>', 0),
    raisedBy: { severity: 'critical' },
    level: { critical: 'page' },
    for: '0m',
    // A damaged page is not read again soon, and stays damaged.
    keepFiringFor: '1d',
    summary: () => 'The database has damaged pages',
    description: ({ instance, value }) =>
      `The checksum was wrong in ${value} reads of pages within an hour, according to ${instance}. The storage returned other data than PostgreSQL had written.`,
    whenMissing: `${heldByPoller} It is also silent without data checksums, and for pages that are not read.`,
    panel: { dashboard: 'siphon-database', title: 'Damaged pages' },
  }),
];
