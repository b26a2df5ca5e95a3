/** All alerts on one page, as the way to their runbooks. */
import type { AlertWithRunbook } from '../../dashboards/rules/rule-files.ts';
import type { LoadedPacks } from '../load.ts';
import { runbookPath } from './runbook-path.ts';
import { written } from '../../dashboards/rules/quantity.ts';

const OWNERS: Readonly<Record<string, string>> = {
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

export function alertsDocument({ alerts, dashboards }: LoadedPacks): string {
  const sections = Object.entries(OWNERS).map(([owner, title]) => {
    const own = alerts.filter((alert) => alert.owner === owner);
    return [
      `## ${title}`,
      [
        '| alert | warning | critical | after | goes on | panel |',
        '| --- | --- | --- | --- | --- | --- |',
        ...own.map((alert) => row(alert, dashboards)),
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

function row(alert: AlertWithRunbook, dashboards: LoadedPacks['dashboards']): string {
  const { name, for: after, keepFiringFor = '', panel } = alert;
  const shown =
    panel === undefined ? '' : `${dashboards.find(({ uid }) => uid === panel.dashboard)?.title}: ${panel.title}`;
  const cells = [
    `[${name}](${runbookPath(alert, 'docs/runbooks')})`,
    ...limits(alert),
    after === '0m' ? 'at once' : after,
    keepFiringFor,
    shown,
  ];
  return `| ${cells.join(' | ')} |`;
}

function limits({ raisedBy }: AlertWithRunbook): [warning: string, critical: string] {
  if ('severity' in raisedBy) {
    const mark = (severity: string): string => (raisedBy.severity === severity ? 'when it is so' : '');
    return [mark('warning'), mark('critical')];
  }
  const { bad, unit, warning, critical } = raisedBy.threshold;
  const sign = bad === 'above' ? '≥' : '<';
  const text = (limit: number | undefined): string => (limit === undefined ? '' : `${sign} ${written(limit, unit)}`);
  return [text(warning), text(critical)];
}
