import type { Drain, Durations, QueryDurations } from './measure.ts';

/** Times are in milliseconds unless the name has another unit. Values that were not measured are absent. */
export interface DatabaseBench {
  readonly server: string;
  readonly scale: number;
  readonly generatedInSeconds: number;
  /** The queries that run less often by default. */
  readonly slowQueries: readonly string[];
  readonly indexed: QueryDurations;
  readonly idle: QueryDurations;
  readonly drain: Drain;
  /** Share of one core at the default interval. */
  readonly cpuShare: Readonly<Record<string, number>>;
  readonly unindexed: QueryDurations;
  readonly firstQueries: Readonly<Record<string, Durations>>;
  readonly fullCounts: Readonly<Record<string, Durations>>;
}

export const BUDGET = { queryP95Ms: 100, idlePollMs: 25, drainPollMs: 150, cpuShare: 0.01, fallbackMs: 5000 };

/** Tables in Markdown. */
export function report(bench: DatabaseBench): string {
  return [queryTable(bench), wholeTable(bench), otherTable(bench), ...failureLines(bench)].join('\n\n');
}

/** One line for each missed budget. */
export function overBudget(bench: DatabaseBench): string[] {
  return [queryTable(bench), wholeTable(bench)]
    .flatMap((text) => text.split('\n'))
    .filter((line) => line.includes(OVER));
}

const OVER = '(over)';

function queryTable({ indexed, unindexed }: DatabaseBench): string {
  const rows = Object.entries(indexed.byQuery).map(([query, { count, p50, p95, max }]) => {
    const without = unindexed.byQuery[query];
    return [
      `\`${query}\``,
      `${count}`,
      ms(p50),
      judged(p95, BUDGET.queryP95Ms, ms),
      ms(max),
      without ? ms(without.p50) : 'none',
      without ? judged(without.p95, BUDGET.fallbackMs, ms) : `none ${OVER}`,
    ];
  });
  const heads = ['query', 'polls', 'p50 ms', 'p95 ms, ≤ 100', 'max', 'no indexes: p50', 'p95, < 5000'];
  return table(heads, rows);
}

function wholeTable({ idle, drain, cpuShare, slowQueries }: DatabaseBench): string {
  const isDueAtEachPoll = (query: string): boolean => !slowQueries.includes(query);
  const rows = [
    [
      'idle poll: queries due every 15 s, sum of p50, ms',
      judged(sumOfP50(idle, isDueAtEachPoll), BUDGET.idlePollMs, ms),
      '≤ 25',
    ],
    ['idle poll: queries due once a minute, ms', ms(sumOfP50(idle, (query) => !isDueAtEachPoll(query))), ''],
    [`burst of ${drain.prices} prices: longest poll, ms`, judged(drain.polls.max, BUDGET.drainPollMs, ms), '≤ 150'],
    ['burst: from the commit to the last one published, s', drain.seconds.toFixed(1), ''],
    ['burst: polls', `${drain.polls.count}`, ''],
    ...Object.entries(cpuShare).map(([when, share]) => [
      `share of a core at 15 s, ${when}`,
      judged(share, BUDGET.cpuShare, percent),
      '< 1 %',
    ]),
  ];
  return table(['measure', 'value', 'budget'], rows);
}

function otherTable({ firstQueries, fullCounts }: DatabaseBench): string {
  const rows = [...Object.entries(firstQueries), ...Object.entries(fullCounts)].map(([name, { p50, max }]) => [
    name,
    ms(p50),
    ms(max),
  ]);
  const whole = Object.values(fullCounts).reduce((sum, { p50 }) => sum + p50, 0);
  return table(['other ways', 'p50 ms', 'max'], [...rows, ['full counts, one whole poll', ms(whole), '']]);
}

function failureLines({ indexed, idle, unindexed }: DatabaseBench): string[] {
  return Object.entries({ indexed, idle, unindexed }).flatMap(([when, { failures }]) =>
    Object.entries(failures).map(([what, count]) => `failed, ${when}: ${what}: ${count}`),
  );
}

function sumOfP50({ byQuery }: QueryDurations, isMeant: (query: string) => boolean): number {
  return Object.entries(byQuery)
    .filter(([query]) => isMeant(query))
    .reduce((sum, [, { p50 }]) => sum + p50, 0);
}

function judged(value: number, budget: number, print: (value: number) => string): string {
  return value <= budget ? print(value) : `${print(value)} ${OVER}`;
}

function ms(value: number): string {
  return value.toFixed(value < 100 ? 1 : 0);
}

function percent(share: number): string {
  return `${(share * 100).toFixed(2)} %`;
}

function table(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  const rule = heads.map((_, i) => (i === 0 ? '---' : '--:'));
  return [heads, rule, ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}
