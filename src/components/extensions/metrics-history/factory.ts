import type { ExtensionFactory } from '../../../engine/component.ts';
import { clientFilesOnceRead, serverFilesOnceRead } from '../../../engine/schema/tls.ts';
import { metricsHistoryConfig, type MetricsHistoryConfig, type RulesConfig } from './config.ts';
import { MetricsHistoryExtension } from './extension.ts';
import type { ReadPackRules } from './rules/read-rules.ts';

/** @param readPackRules the rules of the packs that siphon ships. */
export const metricsHistoryExtension = (readPackRules: ReadPackRules): ExtensionFactory<MetricsHistoryConfig> => ({
  kind: 'extension',
  type: 'metrics_history',
  signals: [],
  stability: 'development',
  role: 'history',
  config: metricsHistoryConfig,
  files: ({ tls, rules }) => [
    ...serverFilesOnceRead(tls),
    ...(rules?.rule_files ?? []),
    rules?.settings_file,
    ...(rules?.notify === undefined ? [] : clientFilesOnceRead(rules.notify.tls)),
  ],
  complete: ({ rules }, subjects) => (rules === undefined ? {} : { subjects: subjectsFor(rules, subjects) }),
  async check({ rules, subjects, interval }) {
    if (rules === undefined) return;
    const { readRules } = await import('./rules/read-rules.ts');
    await readRules(rules, { readPackRules, subjects, historyIntervalMs: interval });
  },
  async *diagnose(_settings, config) {
    const { listeningFindings } = await import('../../../engine/net/endpoint-findings.ts');
    yield* listeningFindings(config);
    if (config.rules === undefined) return;
    const { ruleFindings } = await import('./rules/rule-findings.ts');
    const { rules, subjects, interval } = config;
    yield* ruleFindings(rules, { readPackRules, subjects, historyIntervalMs: interval });
  },
  create: (settings, config) => new MetricsHistoryExtension(settings, config, readPackRules),
});

/** Returns those that decide about the rules: with a list of packs, the others do not. */
function subjectsFor({ packs }: RulesConfig, subjects: ReadonlySet<string>): readonly string[] {
  return [...subjects].filter((subject) => packs === undefined || subject === 'sentry').toSorted();
}
