/** `docs/runbooks/README.md`: all alerts, with links to their runbooks. */
import { levelOf, type Severity } from '../../dashboards/rules/alert.ts';
import type { AlertWithRunbook } from '../../dashboards/rules/rule-files.ts';
import type { LoadedPacks } from '../load.ts';
import { runbookPath } from './runbook-path.ts';
import { written } from '../../dashboards/rules/quantity.ts';

const OWNERS: Readonly<Record<string, string>> = {
  pipeline: 'The pipeline',
  service: 'Services',
  database: 'The database',
  sidecar: 'The sidecar',
};

const INTRODUCTION = `Generated from the packs in \`src/packs\` by \`npm run generate\`. The runbook of each alert explains what it means, how to see it, the likeliest causes, what to do, and when to wake someone.

- *Warning* and *critical* show how bad the value is; a critical alert inhibits the warning about the same object. The level shows who hears of it. *Page*: somebody is called, at any hour. *Ticket*: somebody works on it within a working day. *Info*: no action is needed.
- *After* is the time that the condition must hold before the alert fires. *Continues* is the time that it keeps firing after the condition has ended or its data is missing.
- Events are counted within a window: such an alert resolves when the window has passed, even if the problem still exists.
- \`promql\` is for the page *Graph* of Prometheus or *Explore* of Grafana.
- \`sql\` is for psql: \`psql "$DATABASE_URL"\` with the role of the sidecar, which only reads. A repair names \`$OWNER_URL\` instead, the address for the owner of the tables. The owner can end sessions of other roles after \`grant pg_signal_backend, pg_read_all_stats to OWNER\`. Only a superuser can end the sessions of a superuser. If a statement uses \`:'roaster'\`, add \`-v roaster=blue-tokai\`.
- \`sh\` is for the machine of the sidecar, in the folder with its \`otel-collector.yaml\`. \`siphon\` is the command of the installed package: \`npx siphon-otel\`. Add \`--config FILE\` if the file has another name. Ports and paths are the defaults.
- Replace words in capital letters, such as \`TABLE\` and \`ADDRESS\`.

[failures.md](../failures.md) lists what may go wrong, and which alert reports it. [deploy/prometheus](../../deploy/prometheus/README.md) describes how to change limits, and [deploy/alertmanager](../../deploy/alertmanager/README.md) who is notified.`;

export function alertsDocument({ alerts, dashboards }: LoadedPacks): string {
  const sections = Object.entries(OWNERS).map(([owner, title]) => {
    const own = alerts.filter((alert) => alert.owner === owner);
    return [
      `## ${title}`,
      [
        '| alert | warning | critical | after | continues | panel |',
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
    after === '0m' ? 'immediately' : after,
    keepFiringFor,
    shown,
  ];
  return `| ${cells.join(' | ')} |`;
}

function limits(alert: AlertWithRunbook): [warning: string, critical: string] {
  const { raisedBy } = alert;
  if ('severity' in raisedBy) {
    const mark = (severity: Severity): string =>
      raisedBy.severity === severity ? `always: ${levelOf(alert, severity)}` : '';
    return [mark('warning'), mark('critical')];
  }
  const { bad, unit, warning, critical } = raisedBy.threshold;
  const sign = bad === 'above' ? '≥' : '<';
  const text = (severity: Severity, limit: number | undefined): string =>
    limit === undefined ? '' : `${sign} ${written(limit, unit)}: ${levelOf(alert, severity)}`;
  return [text('warning', warning), text('critical', critical)];
}
