/** Failures of a pipeline, and the alert that reports each; the table of docs/failures.md. */
import { levelOf, severities, type Alert } from '../../src/dashboards/rules/alert.ts';
import { shipped } from '../support/dashboards/shipped.ts';
import { notProvoked, rounds } from './faults.ts';

export interface Failure {
  readonly failure: string;
  readonly alert: string;
  /** The moment from which the time of the alert is counted. */
  readonly from: string;
  /** The name of the fault that provokes it on a running demo. */
  readonly fault?: string;
}

const endOfRun = 'the end of the run';
const change = 'the change';

export const failures: readonly Failure[] = [
  {
    failure: 'A store takes no connection',
    alert: 'FetchErrors',
    from: 'the second failed request',
    fault: 'a shop that takes no connection',
  },
  {
    failure: 'A store asks to slow down',
    alert: 'RateLimited',
    from: 'the fifth status 429',
    fault: 'a shop that asks to slow down',
  },
  {
    failure: 'A store is 170 times slower than in the week before',
    alert: 'FetchSlowed',
    from: 'the fifth slow request',
    fault: 'a shop that answers slowly',
  },
  {
    failure: 'A store needs more than half a minute for a page',
    alert: 'FetchSlow',
    from: 'the fifth slow request',
    fault: 'a shop that answers slowly',
  },
  {
    failure: 'A feed is an empty list, with status 200',
    alert: 'CatalogueShrunk',
    from: endOfRun,
    fault: 'a shop that lists no products',
  },
  {
    failure: 'Half of the products are missing',
    alert: 'CatalogueShrunk',
    from: endOfRun,
    fault: 'a shop that lists half of its products',
  },
  {
    failure: 'The database discards the writes of a run',
    alert: 'CatalogueShrunk',
    from: endOfRun,
    fault: 'writes that the database discards',
  },
  {
    failure: 'A feed has another format',
    alert: 'ValidationErrors',
    from: 'the third product with a problem',
    fault: 'products that are broken',
  },
  {
    failure: 'The parser no longer finds the stock: everything is sold out',
    alert: 'StockGone',
    from: endOfRun,
    fault: 'a shop whose feed reports that everything is sold',
  },
  { failure: 'All prices are zero', alert: 'WildPrices', from: 'the fifth price', fault: 'prices that are all zero' },
  { failure: 'All prices rise by 60 %', alert: 'PriceSpikes', from: 'the price run', fault: 'prices that jump' },
  {
    failure: 'Prices are no longer checked',
    alert: 'PricesStale',
    from: '`price_stale_after` (8 days) after the last check',
    fault: 'prices that are no longer checked',
  },
  { failure: 'Most coffees wait for review', alert: 'ReviewRateHigh', from: endOfRun, fault: 'a neglected roaster' },
  { failure: 'A run fails', alert: 'RunFailed', from: endOfRun, fault: 'a neglected roaster' },
  {
    failure: 'A run does not end',
    alert: 'RunStuck',
    from: 'an hour after its start',
    fault: 'a run that does not end',
  },
  {
    failure: 'Every run is partial',
    alert: 'RunIncomplete',
    from: 'the end of the second run',
    fault: 'a roaster whose runs are always partial',
  },
  {
    failure: 'The price run of one roaster is not started',
    alert: 'PriceRunOverdue',
    from: '6 hours after it was due',
    fault: 'a neglected roaster',
  },
  {
    failure: 'A full run is not started',
    alert: 'FullRunOverdue',
    from: 'a day after it was due',
    fault: 'a neglected roaster',
  },
  {
    failure: 'The scheduler has stopped',
    alert: 'PriceRunsStopped',
    from: 'a day after the runs were due',
    fault: 'price runs that are not started',
  },
  {
    failure: 'A cadence is not a cron expression',
    alert: 'CadenceInvalid',
    from: change,
    fault: 'a cadence that is a word',
  },
  {
    failure: 'The disk of the database is full (53100)',
    alert: 'PriceJobsFailing',
    from: 'the second failed job of two roasters',
    fault: 'a disk that is full (53100)',
  },
  {
    failure: 'The database only reads',
    alert: 'PriceJobsFailing',
    from: 'the second failed job of two roasters',
    fault: 'a database that only reads',
  },
  {
    failure: 'The database is stopped',
    alert: 'DatabaseDown',
    from: '90 seconds after its last answer',
    fault: 'a database that is stopped',
  },
  {
    failure: 'A session forgets its transaction',
    alert: 'IdleInTransaction',
    from: '5 minutes without a statement',
    fault: 'a transaction that hangs',
  },
  {
    failure: 'Sessions wait for a lock',
    alert: 'LocksWaiting',
    from: 'the first wait',
    fault: 'a session that waits for the lock of an idle one',
  },
  {
    failure: 'Two transactions deadlock',
    alert: 'Deadlocks',
    from: 'the deadlock',
    fault: 'transactions that deadlock',
  },
  {
    failure: 'Connections run out',
    alert: 'ConnectionsNearLimit',
    from: '75 % in use',
    fault: 'connections near the limit',
  },
  {
    failure: 'Vacuum does not keep up',
    alert: 'DeadRowsHigh',
    from: 'a fifth of the rows dead, at least 10,000',
    fault: 'a table that is not vacuumed',
  },
  {
    failure: 'A replication slot fills the disk',
    alert: 'SlotUnused',
    from: '1 GiB kept',
    fault: 'a replication slot without a client',
  },
  { failure: 'A sequence ends', alert: 'SequenceNearEnd', from: '80 % used', fault: 'a sequence near its end' },
  { failure: 'Transaction numbers run out', alert: 'FreezeAgeHigh', from: '500 million transactions' },
  { failure: 'The write-ahead log is not archived', alert: 'ArchivingFails', from: 'the first failure' },
  { failure: 'A standby falls behind', alert: 'StandbyLag', from: 'a minute of lag' },
  { failure: 'The polled standby falls behind', alert: 'ReplayLag', from: 'a minute of lag' },
  { failure: 'A subscription stops, or fails again and again', alert: 'SubscriptionFails', from: 'the failure' },
  { failure: 'The creation of an index fails', alert: 'InvalidIndexes', from: 'the failure' },
  { failure: 'The storage damages a page', alert: 'ChecksumFailures', from: 'the first read of the page' },
  {
    failure: 'A right on a table is revoked',
    alert: 'QueryOff',
    from: change,
    fault: 'a table that the poller may not read',
  },
  {
    failure: 'The same, directly before a restart of the sidecar',
    alert: 'QueryOff',
    from: 'the restart',
    fault: 'a right that is revoked before a restart of the sidecar',
  },
  {
    failure: 'Row level security hides all roasters',
    alert: 'PollerFailing',
    from: 'eight polls, which are 2 minutes',
    fault: 'row level security that hides all roasters',
  },
  {
    failure: 'A component of the health score has no data',
    alert: 'HealthScoreUnknown',
    from: change,
    fault: 'roasters without a cadence',
  },
  {
    failure: 'The sidecar is killed',
    alert: 'SidecarDown',
    from: 'the first failed scrape',
    fault: 'a sidecar that is killed',
  },
  {
    failure: 'Prometheus loses a target of the sidecar',
    alert: 'SidecarNotScraped',
    from: change,
    fault: 'a page that Prometheus does not find',
  },
  {
    failure: 'A sidecar that is not scraped polls the database',
    alert: 'PollerWithoutLeader',
    from: 'the takeover',
    fault: 'a sidecar that is not scraped has the lead',
  },
  {
    failure: 'A service sends more series than allowed',
    alert: 'SeriesLimitHit',
    from: 'the first series too many',
    fault: 'more series than it may hold',
  },
  {
    failure: 'A backend of telemetry does not answer',
    alert: 'QueueFilling',
    from: 'a half full queue',
    fault: 'a receiver that does not answer',
  },
  {
    failure: 'Sentry refuses everything',
    alert: 'SentryExportFailing',
    from: 'the first loss',
    fault: 'a Sentry that refuses',
  },
];

/** The table, as docs/failures.md has it. */
export function failureTable(): string {
  return [
    '| failure | alert | level | counted from | after | proof |',
    '| --- | --- | --- | --- | --- | --- |',
    ...failures.map(failureRow),
  ].join('\n');
}

function failureRow({ failure, alert: name, from, fault }: Failure): string {
  const alert = shipped.alerts.find((one) => one.name === name);
  if (alert === undefined) throw new Error(`${name} is not an alert`);
  const after = alert.for === '0m' ? 'the next evaluation' : alert.for;
  const proof = fault === undefined ? `rule: ${notProvoked[name]}` : 'running demo';
  return `| ${failure} | [${name}](../${runbookOf(alert)}) | ${levelsOf(alert)} | ${from} | ${after} | ${proof} |`;
}

/** The alerts that a fault raises, sent or kept back. */
export function alertsOf(fault: string): readonly string[] {
  const found = rounds.flatMap((round) => round.faults).find(({ name }) => name === fault);
  return [...(found?.alerts ?? []), ...(found?.keptBack ?? [])].map(({ alert }) => alert);
}

function levelsOf(alert: Alert): string {
  const raised =
    'threshold' in alert.raisedBy
      ? severities.filter((severity) => limitOf(alert, severity) !== undefined)
      : severities.filter((severity) => 'severity' in alert.raisedBy && alert.raisedBy.severity === severity);
  return [...new Set(raised.map((severity) => levelOf(alert, severity)))].join(', then ');
}

function limitOf({ raisedBy }: Alert, severity: (typeof severities)[number]): number | undefined {
  return 'threshold' in raisedBy ? raisedBy.threshold[severity] : undefined;
}

function runbookOf({ name, runbookFolder }: Alert & { readonly runbookFolder: URL }): string {
  const root = new URL('../../', import.meta.url).href;
  return `${runbookFolder.href.slice(root.length)}${name}.md`;
}
