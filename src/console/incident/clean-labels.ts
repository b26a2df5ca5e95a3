import type { RulesAnswer } from '../alerts.ts';
import type { Labels } from '../data-source.ts';
import { cleanLabel } from '../../privacy/clean-label.ts';
import { cleanText } from '../../privacy/privacy.ts';

/** Labels without secrets and personal data. The store has cleaned what it holds; the names and texts of metrics are not in it. */
export function cleanLabels(labels: Labels): Labels {
  const kept = Object.entries(labels).flatMap(([name, text]): [string, string][] => {
    const clean = cleanLabel(name, text);
    return clean === undefined ? [] : [[name, clean]];
  });
  return Object.fromEntries(kept);
}

/** The texts of alerts have labels in them. */
export function cleanRules({ groups }: RulesAnswer): RulesAnswer {
  return {
    groups: groups.map((group) => ({
      ...group,
      rules: group.rules.map((rule) => ({
        ...rule,
        query: cleanText(rule.query),
        ...(rule.lastError !== undefined && { lastError: cleanText(rule.lastError) }),
        ...(rule.alerts !== undefined && {
          alerts: rule.alerts.map((alert) => ({
            ...alert,
            labels: cleanLabels(alert.labels),
            annotations: cleanLabels(alert.annotations),
          })),
        }),
      })),
    })),
  };
}
