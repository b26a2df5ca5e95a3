import type { Finding } from '../../../../engine/component.ts';
import { ConfigError, formatProblem } from '../../../../engine/config/config-error.ts';
import type { Rule, RuleGroup } from '../../../../rules/rule.ts';
import type { RulesConfig } from '../config.ts';
import { obstacleOf } from './obstacle.ts';
import { readRules, type RuleReading } from './read-rules.ts';

/** Reports on the rules for `siphon doctor`: mistakes, which stop a start, and rules without a verdict. */
export async function* ruleFindings(config: RulesConfig, reading: RuleReading): AsyncGenerator<Finding> {
  let groups: readonly RuleGroup[];
  try {
    groups = await readRules(config, reading);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    for (const problem of error.problems) yield { severity: 'error', what: formatProblem(problem) };
    return;
  }
  const own = groups.filter(({ file }) => config.rule_files.includes(file));
  for (const { file, name, rules } of own) {
    for (const rule of rules) {
      const obstacle = obstacleOf(rule);
      const what = `${file}: group ${name}: ${rule.name} is not evaluated: ${obstacle}`;
      if (obstacle !== undefined) yield { severity: 'warning', what };
    }
  }
  const rules: readonly Rule[] = groups.flatMap((group) => group.rules);
  const ofUser = own.reduce((count, group) => count + group.rules.length, 0);
  yield { severity: 'ok', what: `${rules.length} rules are valid, ${ofUser} of them from rule_files` };
}
