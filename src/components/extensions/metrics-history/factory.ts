import type { ExtensionFactory } from '../../../engine/component.ts';
import { clientFilesOnceRead, serverFilesOnceRead } from '../../../engine/schema/tls.ts';
import { metricsHistoryConfig, type MetricsHistoryConfig } from './config.ts';
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
  async check({ rules, interval }) {
    if (rules === undefined) return;
    const { readRules } = await import('./rules/read-rules.ts');
    await readRules(rules, { readPackRules, historyIntervalMs: interval });
  },
  async *diagnose(_settings, config) {
    const { listeningFindings } = await import('../../../engine/net/endpoint-findings.ts');
    yield* listeningFindings(config);
    if (config.rules === undefined) return;
    const { ruleFindings } = await import('./rules/rule-findings.ts');
    yield* ruleFindings(config.rules, { readPackRules, historyIntervalMs: config.interval });
  },
  create: (settings, config) => new MetricsHistoryExtension(settings, config, readPackRules),
});
