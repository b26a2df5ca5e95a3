/** Rules and alerts in the JSON of Prometheus's HTTP API. */
import type { Steps } from '../../../../promql/budget.ts';
import type { Alert } from '../../../../rules/alert-states.ts';
import type { EvaluatedRule } from '../../../../rules/evaluated-rule.ts';
import { exponentText } from '../../../../rules/template/go-number.ts';
import type { EvaluatedGroup } from '../rules/timetable.ts';
import type { Rules } from '../rules/rules.ts';
import { shownAlert, shownText } from '../shown-alert.ts';
import { listText } from './answer-text.ts';
import { jsonText } from '../../../../engine/json-text.ts';

export function* rulesText(rules: Rules | undefined, parameters: URLSearchParams): Steps<string> {
  const groups = (rules?.groups ?? []).filter((one) => isWanted(one, parameters));
  const shown = groups.map((one) => ({ one, rules: one.rules.filter((rule) => isWantedRule(rule, parameters)) }));
  const nowMs = Date.now();
  const text = yield* listText(
    shown.filter((group) => group.rules.length > 0),
    ({ one, rules: some }) => jsonText(groupJson(one, some, rules?.seenMs(one.group.intervalMs, nowMs))),
  );
  return `{"groups":${text}}`;
}

export function* alertsText(rules: Rules | undefined): Steps<string> {
  const alerts = (rules?.groups ?? []).flatMap((group) => group.rules.flatMap((rule) => rule.alerts.active));
  return `{"alerts":${yield* listText(alerts, (alert) => jsonText(alertJson(alert)))}}`;
}

function isWanted({ group }: EvaluatedGroup, parameters: URLSearchParams): boolean {
  return isListed(group.name, parameters.getAll('rule_group[]')) && isListed(group.file, parameters.getAll('file[]'));
}

function isWantedRule({ rule }: EvaluatedRule, parameters: URLSearchParams): boolean {
  const type = parameters.get('type') ?? '';
  const isOfType = type === '' || type === (rule.kind === 'alerting' ? 'alert' : 'record');
  return isOfType && isListed(rule.name, parameters.getAll('rule_name[]'));
}

function isListed(name: string, wanted: readonly string[]): boolean {
  return wanted.length === 0 || wanted.includes(name);
}

function groupJson(
  { group, lastEvaluationMs, durationMs }: EvaluatedGroup,
  rules: readonly EvaluatedRule[],
  seenMs: number | undefined,
): object {
  return {
    name: group.name,
    file: group.file,
    rules: rules.map((rule) => ruleJson(rule, seenMs)),
    interval: group.intervalMs / 1000,
    limit: group.limit,
    evaluationTime: durationMs / 1000,
    lastEvaluation: timeText(lastEvaluationMs),
  };
}

function ruleJson(evaluated: EvaluatedRule, seenMs: number | undefined): object {
  const { rule, health, problem, lastEvaluationMs, durationMs } = evaluated;
  const common = {
    name: rule.name,
    query: rule.query,
    health,
    ...(problem !== undefined && { lastError: shownText(problem) }),
    evaluationTime: durationMs / 1000,
    lastEvaluation: timeText(lastEvaluationMs),
    // Prometheus has nothing like it, because it keeps more.
    ...(seenMs !== undefined &&
      rule.reachMs > seenMs && { reach: finiteSeconds(rule.reachMs), seen: Math.floor(seenMs / 1000) }),
  };
  if (rule.kind === 'recording') return { ...common, labels: Object.fromEntries(rule.labels), type: 'recording' };
  const alerts = evaluated.alerts.active;
  return {
    state: stateOf(alerts),
    ...common,
    duration: rule.holdMs / 1000,
    keepFiringFor: rule.keepFiringMs / 1000,
    labels: Object.fromEntries([...rule.labels].map(([name, { text }]) => [name, text])),
    annotations: Object.fromEntries([...rule.annotations].map(([name, { text }]) => [name, text])),
    alerts: alerts.map(alertJson),
    type: 'alerting',
  };
}

function stateOf(alerts: readonly Alert[]): string {
  if (alerts.some(({ state }) => state === 'firing')) return 'firing';
  return alerts.length > 0 ? 'pending' : 'inactive';
}

function alertJson(alert: Alert): object {
  const { labels, annotations, state, activeAtMs, keepFiringSinceMs, value } = shownAlert(alert);
  return {
    labels: Object.fromEntries(labels),
    annotations: Object.fromEntries(annotations),
    state,
    activeAt: timeText(activeAtMs),
    ...(keepFiringSinceMs !== undefined && { keepFiringSince: timeText(keepFiringSinceMs) }),
    value: exponentText(value),
  };
}

/** Go's zero time is before the first evaluation. */
function timeText(ms: number | undefined): string {
  return ms === undefined ? '0001-01-01T00:00:00Z' : new Date(ms).toISOString();
}

function finiteSeconds(ms: number): number | undefined {
  return Number.isFinite(ms) ? ms / 1000 : undefined;
}
