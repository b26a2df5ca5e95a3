import {
  bars,
  events,
  healthyWhenEmpty,
  lines,
  type Row,
  show,
  table,
  unknownWithoutPack,
  unusedWhenEmpty,
} from '../../../../dashboards/model/panel.ts';
import { range, step } from '../../../../dashboards/model/variables.ts';
import { max, sum } from '../../../../dashboards/promql/aggregate.ts';
import { lastSuccessAge, overdue, reviewRate, runSuccess } from '../expressions.ts';
import { increase, latest, mean } from '../promql.ts';
import { thresholds } from '../../thresholds.ts';
import { statusTones } from '../tones.ts';
import { toRoaster } from '../variables.ts';

const notPolled = unknownWithoutPack('scrape_pipeline', 'SELECT on its tables');

export const runs: Row = {
  title: 'Runs and freshness',
  panels: [
    events({
      title: 'Runs by status',
      description:
        'Runs by the status with which they finished, as the database has them. Runs are rare: look at the last week or month.',
      queries: [show(sum(increase('scrape_runs_finished_total', step), ['status']), ({ status }) => status)],
      tones: statusTones,
      empty: notPolled,
      width: 12,
      height: 8,
      leadsTo: 'siphon-roaster',
    }),
    lines({
      title: 'Full runs overdue',
      description:
        'Time since a full run was due according to the roaster\u2019s cadence and has not succeeded; 0 if none is overdue.',
      queries: [show(overdue('full'), ({ roaster }) => roaster)],
      thresholds: thresholds.overdue_full,
      min: 0,
      empty: notPolled,
      width: 12,
      height: 8,
      leadsTo: 'siphon-roaster',
    }),
    table({
      title: 'Roasters',
      description: 'The roaster with the oldest successful run comes first.',
      labels: ['roaster'],
      sortBy: 'last success',
      leadsToValue: toRoaster,
      columns: [
        { ...show(lastSuccessAge(), 'last success') },
        { ...show(overdue('price'), 'price run overdue'), thresholds: thresholds.overdue_price },
        { ...show(overdue('full'), 'full run overdue'), thresholds: thresholds.overdue_full },
        { ...show(runSuccess(['roaster']), 'succeeded'), thresholds: thresholds.run_success },
        { ...show(mean({ name: 'scrape_run_duration_seconds', window: range, by: ['roaster'] }), 'mean duration') },
        { ...show(reviewRate(), 'review rate'), thresholds: thresholds.review_rate },
      ],
      empty: notPolled,
      width: 16,
      height: 9,
      leadsTo: 'siphon-roaster',
    }),
    events({
      title: 'Runs started',
      description: 'Runs that were recorded in the database. The next panel shows runs that do not finish.',
      queries: [show(sum(increase('scrape_runs_started_total', step), ['platform']), ({ platform }) => platform)],
      empty: notPolled,
      width: 4,
      height: 9,
    }),
    lines({
      title: 'Oldest running',
      description: 'Age of the oldest run that has not finished. Hours mean that its process died without a word.',
      queries: [show(max(latest('scrape_run_oldest_running_seconds'), ['roaster']), ({ roaster }) => roaster)],
      thresholds: thresholds.run_age,
      min: 0,
      empty: unusedWhenEmpty('no run is running'),
      width: 4,
      height: 9,
      leadsTo: 'siphon-roaster',
    }),
    lines({
      title: 'Runs due since the last ok',
      description:
        'How many runs were due, by roaster and cadence, since the last one that ended ok. A roaster whose runs are always partial climbs, although no run is overdue.',
      queries: [
        show(
          max(latest('scrape_due_since_ok'), ['roaster', 'cadence']),
          ({ roaster, cadence }) => `${roaster} ${cadence}`,
        ),
      ],
      thresholds: thresholds.runs_without_ok,
      min: 0,
      empty: notPolled,
      width: 16,
      height: 7,
      leadsTo: 'siphon-roaster',
    }),
    bars({
      title: 'Invalid cadences',
      description:
        'Cadences that are not a cron expression, or one that never matches. Missing runs of these are not reported.',
      queries: [
        show(
          max(latest('scrape_cadence_invalid'), ['roaster', 'cadence']),
          ({ roaster, cadence }) => `${roaster} ${cadence}`,
        ),
      ],
      min: 0,
      max: 1,
      empty: healthyWhenEmpty('all cadences are valid'),
      width: 8,
      height: 7,
    }),
  ],
};
