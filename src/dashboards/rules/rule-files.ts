/** The files that Prometheus reads. */
import { dump } from 'js-yaml';
import type { Dashboard } from '../model/panel.ts';
import { render } from '../promql/render.ts';
import { alertRules } from './alert-rules.ts';
import type { Alert } from './alert.ts';
import { recordingsOf, type Recording } from './recording.ts';
import type { RuleSettings } from './settings.ts';

const MARK = '# siphon-otel: ';
const HEAD = `${MARK}written by siphon dashboards export --form prometheus; what is changed here is lost with the next one.\n`;

/** What a rule file is made of. */
export interface RuleSource {
  readonly alerts: readonly AlertWithRunbook[];
  /** Those that the alerts link to. */
  readonly dashboards: readonly Dashboard[];
}

export type AlertWithRunbook = Alert & {
  /** The address of the folder of its runbook. */
  readonly runbooks: string;
};

/** By file name. */
export function ruleFiles({ alerts, dashboards }: RuleSource, settings: RuleSettings): ReadonlyMap<string, string> {
  const owners = [...new Set(alerts.map(({ owner }) => owner))];
  const groups = owners.map((owner) => ({
    name: `siphon-${owner}`,
    rules: alerts
      .filter((alert) => alert.owner === owner)
      .flatMap((alert) => alertRules(alert, { settings, dashboards, runbooks: alert.runbooks })),
  }));
  const recordings = [{ name: 'siphon-recording', rules: recordingsIn(alerts).map(recordingRule) }];
  return new Map([
    ['recording.yaml', yaml(recordings)],
    ['alerts.yaml', yaml(groups)],
  ]);
}

/** Whether siphon may overwrite it. */
export function isOwnRuleFile(text: string): boolean {
  return text.startsWith(MARK);
}

/** Everything that alerts read, each once. */
export function recordingsIn(alerts: readonly Alert[]): readonly Recording[] {
  const all = alerts.flatMap(({ measured, guard }) => [measured, ...(guard === undefined ? [] : [guard])]);
  const byName = new Map(all.flatMap(recordingsOf).map((one) => [one.name, one]));
  return [...byName.values()].toSorted((one, other) => (one.name < other.name ? -1 : 1));
}

function recordingRule({ name, expression }: Recording): object {
  return { record: name, expr: render(expression) };
}

function yaml(groups: readonly object[]): string {
  return HEAD + dump({ groups }, { lineWidth: -1, noRefs: true });
}
