/** The files that Prometheus reads. */
import { dump } from 'js-yaml';
import { promql } from '../promql/render.ts';
import { alertRules } from './alert-rules.ts';
import { alerts } from '../../packs/alerts.ts';
import { recordingsOf, type Recording } from './recording.ts';
import type { RuleSettings } from './settings.ts';

const MARK = '# siphon-otel: ';
const HEAD = `${MARK}written by siphon dashboards export --form prometheus; what is changed here is lost with the next one.\n`;

/** By file name. */
export function ruleFiles(settings: RuleSettings): ReadonlyMap<string, string> {
  const owners = [...new Set(alerts.map(({ owner }) => owner))];
  return new Map([
    ['recording.yaml', yaml([{ name: 'siphon-recording', rules: recordings().map(recordingRule) }])],
    [
      'alerts.yaml',
      yaml(
        owners.map((owner) => ({
          name: `siphon-${owner}`,
          rules: alerts.filter((one) => one.owner === owner).flatMap((one) => alertRules(one, settings)),
        })),
      ),
    ],
  ]);
}

/** Whether siphon may overwrite it. */
export function isOwnRuleFile(text: string): boolean {
  return text.startsWith(MARK);
}

/** Everything that alerts read, each once. */
export function recordings(): readonly Recording[] {
  const all = alerts.flatMap(({ measured, guard }) => [measured, ...(guard === undefined ? [] : [guard])]);
  const byName = new Map(all.flatMap(recordingsOf).map((one) => [one.name, one]));
  return [...byName.values()].toSorted((one, other) => (one.name < other.name ? -1 : 1));
}

function recordingRule({ name, expression }: Recording): object {
  return { record: name, expr: promql(expression) };
}

function yaml(groups: readonly object[]): string {
  return HEAD + dump({ groups }, { lineWidth: -1, noRefs: true });
}
