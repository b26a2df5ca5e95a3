/** All alerts on one page, as the way to their runbooks. */
import { thresholds } from '../all-thresholds.ts';
import type { Threshold } from '../../dashboards/threshold.ts';
import { titleOf } from '../../dashboards/grafana/titles.ts';
import type { Alert, Owner } from '../../dashboards/rules/alert.ts';
import { alerts } from '../alerts.ts';
import { written } from '../../dashboards/rules/quantity.ts';

const OWNERS: Readonly<Record<Owner, string>> = {
  pipeline: 'The pipeline',
  database: 'The database',
  sidecar: 'The sidecar',
};

const INTRODUCTION = `Generated from \`src/dashboards/rules\` by \`npm run generate\`. Each alert has a page that says what it means, how to see it, its likeliest causes, what to do, and when to wake someone.

- *Warning*: look at it today. *Critical*: somebody is called. A critical alert keeps the warning of the same thing back.
- *After* is how long it must hold before it fires, *goes on* how long it fires after it has become better or its data is gone.
- What happens now and then is counted within a window: an alert on it ends by itself when the window has passed, whether or not it was repaired.
- \`promql\` is for the page *Graph* of Prometheus or *Explore* of Grafana. \`sql\` is for psql, which knows the roaster of the alert when it is called like this:

\`\`\`sh
psql "$DATABASE_URL" -v roaster=blue-tokai
\`\`\`

[deploy/prometheus](../../deploy/prometheus/README.md) tells how to change limits, and [deploy/alertmanager](../../deploy/alertmanager/README.md) who is told.`;

export function alertsDocument(): string {
  const owners = Object.entries(OWNERS) as [Owner, string][];
  const sections = owners.map(([owner, title]) => {
    const own = alerts.filter((alert) => alert.owner === owner);
    return [
      `## ${title}`,
      [
        '| alert | warning | critical | after | goes on | panel |',
        '| --- | --- | --- | --- | --- | --- |',
        ...own.map(row),
      ].join('\n'),
    ].join('\n\n');
  });
  const missing = [
    '## When the data is missing',
    ['| alert | |', '| --- | --- |', ...alerts.map(({ name, whenMissing }) => `| ${name} | ${whenMissing} |`)].join(
      '\n',
    ),
  ];
  return `${['# Runbooks', INTRODUCTION, ...sections, ...missing].join('\n\n')}\n`;
}

function row(alert: Alert): string {
  const { name, for: after, keepFiringFor = '', panel } = alert;
  const shown = panel === undefined ? '' : `${titleOf(panel.dashboard)}: ${panel.title}`;
  const cells = [`[${name}](${name}.md)`, ...limits(alert), after === '0m' ? 'at once' : after, keepFiringFor, shown];
  return `| ${cells.join(' | ')} |`;
}

function limits({ raisedBy }: Alert): [warning: string, critical: string] {
  if ('severity' in raisedBy) {
    const mark = (severity: string): string => (raisedBy.severity === severity ? 'when it is so' : '');
    return [mark('warning'), mark('critical')];
  }
  const { bad, unit, warning, critical }: Threshold = thresholds[raisedBy.threshold];
  const sign = bad === 'above' ? '≥' : '<';
  const text = (limit: number | undefined): string => (limit === undefined ? '' : `${sign} ${written(limit, unit)}`);
  return [text(warning), text(critical)];
}
