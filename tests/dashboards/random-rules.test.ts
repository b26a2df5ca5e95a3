/** Random rules about random series in the sidecar and in a real Prometheus: the same verdicts at each minute. */
import { describe, expect, it } from 'vitest';
import { complaintsAbout } from '../support/prometheus/compare-verdicts.ts';
import { verdictsOf } from '../support/prometheus/evaluated-world.ts';
import { promtoolMissing, type InputSeries } from '../support/prometheus/promtool.ts';
import { Random } from '../support/promql/random.ts';

if (promtoolMissing !== undefined) process.stderr.write(`Random rules are not compared: ${promtoolMissing}\n`);

const WORLDS = Number(process.env['SIPHON_RULE_WORLDS'] ?? 40);
const MINUTES = 90;
const RULES = 6;

describe.skipIf(promtoolMissing)('random rules', () => {
  it(`have the same verdicts in ${WORLDS} random worlds`, { timeout: 60_000 + WORLDS * 2000 }, async () => {
    let states = 0;
    const kinds = new Set<string>();
    for (let seed = 1; seed <= WORLDS; seed++) {
      const random = new Random(seed);
      const input = randomSeries(random);
      const groups = [{ name: 'random', rules: randomRules(random) }];
      const verdicts = await verdictsOf(groups, input, { minutes: MINUTES, retentionMs: 3_600_000 });
      expect(complaintsAbout(groups, [{ input, verdicts }]), `world ${seed}`).toBe('');
      states += verdicts.flat().length;
      for (const { state } of verdicts.flat()) kinds.add(state);
    }
    expect(states / WORLDS).toBeGreaterThan(MINUTES);
    expect(kinds).toEqual(new Set(['pending', 'firing']));
  });
});

function below(random: Random, limit: number): number {
  return Math.floor(random.below(limit));
}

function pick<T>(random: Random, choices: readonly T[]): T {
  return choices[below(random, choices.length)] as T;
}

/** Levels that cross limits at any minute, with gaps, ends and late begins. */
function randomSeries(random: Random): readonly InputSeries[] {
  return ['a', 'b', 'c'].flatMap((room) => [
    { series: `level{room="${room}"}`, values: runs(random, () => String(below(random, 10))) },
    { series: `errors_total{room="${room}"}`, values: counter(random) },
  ]);
}

/** Values that last a random time. In a gap the series has ended, as a scrape without it marks it. */
function runs(random: Random, value: () => string): string {
  const parts: string[] = [];
  for (let minute = 0; minute <= MINUTES;) {
    const length = 1 + below(random, 8);
    parts.push(below(random, 5) === 0 ? gap(length) : `${value()}+0x${length - 1}`);
    minute += length;
  }
  return parts.join(' ');
}

function gap(length: number): string {
  return ['stale', ...Array.from({ length: length - 1 }, () => '_')].join(' ');
}

function counter(random: Random): string {
  let total = 0;
  return Array.from({ length: MINUTES + 1 }, () => {
    if (below(random, 12) === 0) return 'stale';
    if (below(random, 40) === 0) total = 0;
    if (below(random, 3) === 0) total += below(random, 5);
    return String(total);
  }).join(' ');
}

/** A label is never empty: then Prometheus writes the template itself into `ALERTS`. */
function randomRules(random: Random): readonly object[] {
  const durations = ['0s', '1m', '2m', '3m', '5m', '10m'];
  const recorded = { record: 'room:level:max', expr: 'max by (room) (level)' };
  const alerts = Array.from({ length: RULES }, (_, number) => ({
    alert: `Random${number}`,
    expr: randomCondition(random),
    ...(below(random, 3) > 0 && { for: pick(random, durations) }),
    ...(below(random, 2) > 0 && { keep_firing_for: pick(random, durations) }),
    labels: {
      severity: pick(random, ['warning', 'critical']),
      ...(below(random, 3) === 0 && { level: '{{ $value | printf "%.0f" }}' }),
    },
    annotations: { summary: 'Room {{ $labels.room }} is at {{ $value | printf "%.2f" }}' },
  }));
  return [recorded, ...alerts];
}

function randomCondition(random: Random): string {
  const limit = String(below(random, 9));
  const range = pick(random, ['3m', '5m', '10m']);
  return pick(random, [
    `level > ${limit}`,
    `level >= ${limit} unless on (room) errors_total < ${limit}`,
    `room:level:max < ${limit}`,
    `max(level) > ${limit}`,
    `avg_over_time(level[${range}]) > ${limit}`,
    `increase(errors_total[${range}]) > ${limit}`,
    `changes(level[${range}]) > 1`,
    `absent(level{room="a"})`,
    `level > ${limit} and on (room) ALERTS{alertname="Random0", alertstate="firing"}`,
    `count by (room) (level offset ${range}) unless count by (room) (level)`,
  ]);
}
