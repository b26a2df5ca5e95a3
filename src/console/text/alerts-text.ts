import { alertList, NO_RULES, type ListedAlert, type RulesAnswer, type ShownRule } from '../alerts.ts';
import { counted, fitted, oneLine } from '../store-text.ts';
import { textOf } from '../unit-text.ts';

/** Alerts as lines for a terminal. */
export function alertsText(answer: RulesAnswer, nowMs: number, columns = Infinity): string {
  const { alerts, broken, young, rules } = alertList(answer);
  if (rules === 0) return NO_RULES;
  const firing = alerts.filter(({ state }) => state === 'firing').length;
  const lines = [
    `${counted(rules, 'alert rule')}: ${firing} firing, ${alerts.length - firing} pending`,
    ...alerts.flatMap((alert) => alertLines(alert, nowMs)),
    ...named('No verdict', broken, ({ lastError = '' }) => lastError),
    ...named(
      'Younger than its window',
      young,
      ({ reach = 0, seen = 0 }) => `reads back ${textOf(reach, 's')}, has ${textOf(seen, 's')}`,
    ),
  ];
  return lines.map((line) => fitted(line, columns)).join('\n');
}

function alertLines({ labels, annotations, state, activeAt, value }: ListedAlert, nowMs: number): readonly string[] {
  const since = textOf(Math.max(0, (nowMs - Date.parse(activeAt)) / 1000), 's');
  const { summary = '', description, runbook_url: runbook } = annotations;
  const { severity = '', alertname = '', ...others } = labels;
  return [
    '',
    oneLine(`${state.toUpperCase().padEnd(7)}  ${severity.padEnd(8)}  ${alertname}  since ${since}  ${summary}`),
    ...(description === undefined ? [] : [oneLine(`  ${description}`)]),
    oneLine(
      `  value ${String(Number(value))}  ${Object.entries(others)
        .map(([name, text]) => `${name}=${text}`)
        .join(' ')}`,
    ),
    ...(runbook === undefined ? [] : [oneLine(`  ${runbook}`)]),
  ];
}

function named(title: string, rules: readonly ShownRule[], reason: (rule: ShownRule) => string): readonly string[] {
  if (rules.length === 0) return [];
  // The rules of two severities have one name.
  const lines = new Set(rules.map((rule) => oneLine(`  ${rule.name}  ${reason(rule)}`)));
  return ['', `${title}: ${counted(lines.size, 'rule')}`, ...lines];
}
