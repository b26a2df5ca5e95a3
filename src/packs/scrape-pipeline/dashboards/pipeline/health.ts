import {
  bars,
  healthyWhenEmpty,
  lines,
  type Row,
  show,
  stat,
  unknownWhenEmpty,
} from '../../../../dashboards/model/panel.ts';
import { range } from '../../../../dashboards/model/variables.ts';
import { count, max, min, sum } from '../../../../dashboards/promql/aggregate.ts';
import { compare, missingTo, partOf, times } from '../../../../dashboards/promql/arithmetic.ts';
import { runSuccess } from '../expressions.ts';
import { healthComponentNames, healthComponents } from '../../health-score.ts';
import { increase, latest } from '../promql.ts';
import { thresholds } from '../../thresholds.ts';

const unknownScore = unknownWhenEmpty('unknown');

export const health: Row = {
  title: 'Is it well?',
  panels: [
    stat({
      title: 'Health score',
      description:
        '0 (broken) to 100 (well), the weighted total of its components. Unknown while any component is unknown, because that component may be the broken one.',
      queries: [show(min(latest('pipeline_health_score', { component: 'total' })), 'score')],
      thresholds: thresholds.health_score,
      min: 0,
      max: 100,
      empty: unknownScore,
      width: 4,
      height: 6,
    }),
    bars({
      title: 'What drags it down',
      description: 'Points that each component subtracts from 100. Start with the longest bar.',
      queries: healthComponentNames.map((component) =>
        show(
          times(
            missingTo(100, min(latest('pipeline_health_score', { component }))),
            healthComponents[component].weight / 100,
          ),
          component,
        ),
      ),
      min: 0,
      max: 40,
      empty: unknownScore,
      width: 5,
      height: 6,
    }),
    bars({
      title: 'What the score is computed from',
      description: `The input of each component. ${healthComponentNames.map((name) => `${name}: ${healthComponents[name].input}.`).join(' ')}`,
      queries: [show(min(latest('pipeline_health_input_percent'), ['component']), ({ component }) => component)],
      min: 0,
      max: 100,
      empty: unknownScore,
      width: 5,
      height: 6,
    }),
    stat({
      title: 'Runs that succeeded',
      description:
        'Share of the runs that finished within the time range with the status ok. Below 80 % is an incident.',
      queries: [show(runSuccess(), 'succeeded')],
      thresholds: thresholds.run_success,
      empty: unknownWhenEmpty('no run finished in this time range'),
      width: 4,
      height: 6,
      leadsTo: 'siphon-roaster',
    }),
    stat({
      title: 'Failed runs',
      description: 'Runs that finished within the time range with the status fail.',
      queries: [
        show(
          partOf(
            sum(increase('scrape_runs_finished_total', range, { status: 'fail' })),
            sum(increase('scrape_runs_finished_total', range)),
          ),
          'failed',
        ),
      ],
      empty: unknownWhenEmpty('runs are not counted'),
      width: 3,
      height: 6,
      leadsTo: 'siphon-roaster',
    }),
    stat({
      title: 'Cadences overdue',
      description: 'Pairs of roaster and cadence whose run is overdue according to the roaster\u2019s cron expression.',
      queries: [
        show(
          count(compare(max(latest('scrape_overdue_seconds'), ['roaster', 'cadence']), '>', 0), [], '{cadence}'),
          'overdue',
        ),
      ],
      empty: healthyWhenEmpty('none'),
      width: 3,
      height: 6,
      leadsTo: 'siphon-roaster',
    }),
    lines({
      title: 'Score and components over time',
      description: 'Each component from 0 to 100. A line ends where its component became unknown.',
      queries: [show(min(latest('pipeline_health_score'), ['component']), ({ component }) => component)],
      min: 0,
      max: 100,
      thresholds: thresholds.health_score,
      empty: unknownScore,
      width: 20,
      height: 7,
    }),
    stat({
      title: 'Unknown components',
      description: 'Components that cannot be computed, by database. The health score is unknown while there is one.',
      queries: [show(max(latest('pipeline_health_unknown_components'), ['instance']), ({ instance }) => instance)],
      empty: unknownScore,
      width: 4,
      height: 7,
    }),
  ],
};
