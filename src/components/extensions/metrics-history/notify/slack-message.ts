/** The messages of deploy/alertmanager/templates, as Alertmanager posts them to Slack. */
import { compareNames, type Labels } from '../../../../promql/labels.ts';
import type { Alert } from '../../../../rules/alert-states.ts';
import { shownAlert } from '../shown-alert.ts';

export interface SlackMessage {
  readonly attachments: readonly [
    {
      readonly title: string;
      readonly title_link: string;
      readonly text: string;
      readonly fallback: string;
      readonly color: string;
      readonly footer: string;
      readonly mrkdwn_in: readonly string[];
      readonly actions: readonly { readonly type: 'button'; readonly text: string; readonly url: string }[];
    },
  ];
}

export interface MessageAlert {
  readonly alert: Pick<Alert, 'labels' | 'annotations'>;
  readonly isFiring: boolean;
}

const MOST_SHOWN = 10;
/** As in Alertmanager. */
const MAX_TITLE_LENGTH = 1024;

/** @param alerts of one group; at least one. */
export function slackMessage(alerts: readonly MessageAlert[]): SlackMessage {
  const sorted = alerts
    .map((one) => ({ ...one, alert: shownAlert(one.alert) }))
    .toSorted((a, b) => compareAlerts(a.alert.labels, b.alert.labels));
  const firing = sorted.filter(({ isFiring }) => isFiring);
  const isOver = firing.length === 0;
  const shown = isOver ? sorted : firing;
  const severity = commonLabel(sorted, 'severity');
  const urgency = isOver ? 'Resolved' : severity === 'critical' ? 'Critical' : 'Warning';
  const count = shown.length > 1 ? ` (${shown.length} alerts)` : '';
  const title = `${urgency}: ${annotationOf(shown[0], 'summary')}${count}`;
  const linkOf = (name: string): string => shown[0]?.alert.annotations.get(name) ?? '';
  return {
    attachments: [
      {
        title: cut(title),
        title_link: linkOf('dashboard_url'),
        text: textOf(shown, sorted.length),
        fallback: title,
        color: isOver ? 'good' : severity === 'critical' ? 'danger' : 'warning',
        footer: ['alertname', 'severity', 'owner'].map((label) => commonLabel(sorted, label)).join(' · '),
        mrkdwn_in: ['text'],
        actions: BUTTONS.flatMap(([text, name]) =>
          linkOf(name) === '' ? [] : [{ type: 'button' as const, text, url: linkOf(name) }],
        ),
      },
    ],
  };
}

/** A silence needs an Alertmanager. */
const BUTTONS = [
  ['Runbook', 'runbook_url'],
  ['Dashboard', 'dashboard_url'],
  ['Sentry', 'sentry_url'],
] as const;

function textOf(shown: readonly MessageAlert[], count: number): string {
  const lines = shown
    .slice(0, MOST_SHOWN)
    .map((alert) =>
      alert.isFiring ? annotationOf(alert, 'description') : `Resolved: ${annotationOf(alert, 'summary')}`,
    );
  if (shown.length > MOST_SHOWN) lines.push(`Only ${MOST_SHOWN} of ${shown.length} are shown.`);
  if (shown.length < count) lines.push(`Over: ${count - shown.length} of ${count}.`);
  return lines.join('\n');
}

/** Labels come from data, and Slack reads `<!channel>` as markup. */
function annotationOf(shown: MessageAlert | undefined, name: string): string {
  return (shown?.alert.annotations.get(name) ?? '')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;');
}

function commonLabel(alerts: readonly MessageAlert[], label: string): string {
  const values = new Set(alerts.map(({ alert }) => alert.labels.get(label) ?? ''));
  return values.size === 1 ? ([...values][0] as string) : '';
}

function cut(title: string): string {
  const characters = Array.from(title);
  return characters.length <= MAX_TITLE_LENGTH ? title : `${characters.slice(0, MAX_TITLE_LENGTH - 1).join('')}…`;
}

/** In the order of Alertmanager: by job and instance, then those with fewer labels first, then by all labels. */
function compareAlerts(a: Labels, b: Labels): number {
  for (const label of ['job', 'instance']) {
    const [first, second] = [a.get(label), b.get(label)];
    if (first === second) continue;
    if (first === undefined) return 1;
    return second === undefined ? -1 : compareNames(first, second);
  }
  if (a.size !== b.size) return a.size - b.size;
  for (const name of [...new Set([...a.keys(), ...b.keys()])].toSorted(compareNames)) {
    const [first, second] = [a.get(name), b.get(name)];
    if (first === second) continue;
    if (first === undefined) return -1;
    return second === undefined ? 1 : compareNames(first, second);
  }
  return 0;
}
