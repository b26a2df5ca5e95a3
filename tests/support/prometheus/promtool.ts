import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Why tests of rules cannot run here, or undefined if they can. */
export const promtoolMissing: string | undefined =
  spawnSync('promtool', ['--version']).status === 0
    ? undefined
    : 'no `promtool` on the PATH (Debian: apt-get install prometheus)';

/** A series in the notation of `promtool test rules`: `5x60` is 5 at 61 points, `_x9` nothing at 10. */
export interface InputSeries {
  readonly series: string;
  readonly values: string;
}

export interface RuleTest {
  readonly input: readonly InputSeries[];
  readonly expects: readonly Expectation[];
  readonly alerts?: readonly AlertExpectation[];
}

/** All firing alerts of a name, with their texts. */
export interface AlertExpectation {
  readonly alertname: string;
  readonly atMinute: number;
  readonly alerts: readonly {
    readonly labels: Readonly<Record<string, string>>;
    readonly annotations: Readonly<Record<string, string>>;
  }[];
}

export interface Expectation {
  readonly query: string;
  readonly atMinute: number;
  readonly samples: readonly { readonly labels: string; readonly value: number }[];
}

/** Returns the complaints of `promtool test rules`. The interval between two points of a series is a minute. */
export function testRules(groups: readonly { readonly name: string }[], tests: readonly RuleTest[]): string {
  const folder = mkdtempSync(join(tmpdir(), 'siphon-rules-'));
  const file = join(folder, 'tests.json');
  const content = {
    rule_files: ['rules.json'],
    evaluation_interval: '1m',
    // Otherwise at random: what reads a recording would see it now or a minute later.
    group_eval_order: groups.map(({ name }) => name),
    tests: tests.map(({ input, expects, alerts = [] }) => ({
      interval: '1m',
      input_series: input,
      promql_expr_test: expects.map(({ query, atMinute, samples }) => ({
        expr: query,
        eval_time: `${atMinute}m`,
        exp_samples: samples,
      })),
      alert_rule_test: alerts.map((expected) => ({
        eval_time: `${expected.atMinute}m`,
        alertname: expected.alertname,
        exp_alerts: expected.alerts.map(({ labels, annotations }) => ({
          exp_labels: labels,
          exp_annotations: annotations,
        })),
      })),
    })),
  };
  try {
    // JSON is YAML too.
    writeFileSync(join(folder, 'rules.json'), JSON.stringify({ groups }));
    writeFileSync(file, JSON.stringify(content));
    const { status, stdout, stderr, error } = spawnSync('promtool', ['test', 'rules', file], { encoding: 'utf8' });
    if (status === null) throw error ?? new Error('promtool was killed');
    return status === 0 ? '' : stdout + stderr;
  } finally {
    rmSync(folder, { recursive: true });
  }
}
