import {
  areas,
  bars,
  events,
  lines,
  type Row,
  show,
  stat,
  unknownWhenEmpty,
  unknownWithoutPack,
} from '../../../../dashboards/model/panel.ts';
import { roomAbove } from '../../../../dashboards/threshold.ts';
import { step } from '../../../../dashboards/model/variables.ts';
import { max, min, sum } from '../../../../dashboards/promql/aggregate.ts';
import { connectionsUsed } from '../../../postgres-health/dashboards/expressions.ts';
import { thresholds as databaseThresholds } from '../../../postgres-health/thresholds.ts';
import { pollAge } from '../../../sidecar/dashboards/expressions.ts';
import { inStock, reviewRate, seenVariants } from '../expressions.ts';
import { increase, latest } from '../promql.ts';
import { thresholds } from '../../thresholds.ts';

const notPolled = unknownWithoutPack('scrape_pipeline', 'SELECT on its tables');

export const catalogueState: Row = {
  title: 'What the pipeline has gathered',
  panels: [
    events({
      title: 'Price changes',
      description: 'Prices that differ from the previous price, by direction.',
      queries: [
        show(
          sum(increase('price_deltas_total', step, { change_type: ['increase', 'decrease'] }), ['change_type']),
          ({ change_type }) => change_type,
        ),
      ],
      empty: unknownWhenEmpty('no price was compared'),
      width: 8,
      height: 8,
      leadsTo: 'siphon-prices',
    }),
    lines({
      title: 'Review rate',
      description: 'Share of the coffees that wait for review, by roaster.',
      queries: [show(reviewRate(), ({ roaster }) => roaster)],
      thresholds: thresholds.review_rate,
      min: 0,
      empty: notPolled,
      width: 8,
      height: 8,
      leadsTo: 'siphon-roaster',
    }),
    areas({
      title: 'Coffees by what became of them',
      description: 'Coffees in the catalogue by processing status. Someone must look at review and error.',
      queries: [show(sum(latest('coffees'), ['processing_status']), ({ processing_status }) => processing_status)],
      tones: { ok: 'good', review: 'warning', error: 'bad', unknown: 'neutral' },
      min: 0,
      empty: notPolled,
      width: 8,
      height: 8,
    }),
    stat({
      title: 'In stock',
      description:
        'Share of the active variants that are in stock. If it suddenly drops to 0, the parser probably no longer finds the field.',
      queries: [show(inStock(), 'in stock')],
      empty: notPolled,
      width: 4,
      height: 6,
    }),
    bars({
      title: 'Seen by the last run',
      description:
        'Share of the active variants that the last run of each roaster has seen, whatever the run reports about itself.',
      queries: [show(seenVariants(), ({ roaster }) => roaster)],
      thresholds: thresholds.seen_variants,
      min: 0,
      max: 1,
      empty: notPolled,
      width: 8,
      height: 6,
      leadsTo: 'siphon-roaster',
    }),
    stat({
      title: 'Roasters in the database',
      description: 'All roasters in the database, active or not.',
      queries: [
        show(sum(latest('roasters', { is_active: 'true' })), 'active'),
        show(sum(latest('roasters', { is_active: 'false' })), 'not active'),
      ],
      empty: notPolled,
      width: 4,
      height: 6,
    }),
    events({
      title: 'New in the catalogue',
      description: 'Coffees that were added to the catalogue.',
      queries: [show(sum(increase('coffees_created_total', step), ['platform']), ({ platform }) => platform)],
      empty: notPolled,
      width: 8,
      height: 6,
    }),
    stat({
      title: 'Connections in use',
      description: 'Connections in use, as a share of the limit of the server.',
      queries: [show(max(connectionsUsed()), 'in use')],
      thresholds: databaseThresholds.connections_used,
      min: 0,
      max: 1,
      empty: notPolled,
      width: 6,
      height: 4,
      leadsTo: 'siphon-database',
    }),
    bars({
      title: 'Database, at a glance',
      description: 'Age of the oldest transaction, and time since a query of the poller last succeeded.',
      queries: [
        show(max(latest('database_transaction_longest_seconds')), 'oldest transaction'),
        show(min(pollAge(['query'])), 'last answer'),
      ],
      thresholds: databaseThresholds.longest_transaction,
      min: 0,
      max: roomAbove(databaseThresholds.longest_transaction.warning),
      empty: notPolled,
      width: 18,
      height: 4,
      leadsTo: 'siphon-database',
    }),
  ],
};
