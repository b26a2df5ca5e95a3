import {
  bars,
  histogram,
  events,
  healthyWhenEmpty,
  type Row,
  show,
  stat,
  unknownWhenEmpty,
  unusedWhenEmpty,
} from '../../../../dashboards/model/panel.ts';
import { range, step } from '../../../../dashboards/model/variables.ts';
import { sum } from '../../../../dashboards/promql/aggregate.ts';
import { ratio } from '../../../../dashboards/promql/arithmetic.ts';
import { wildPrices } from '../expressions.ts';
import { buckets, increase } from '../promql.ts';
import { thresholds } from '../../thresholds.ts';

const noPrice = unknownWhenEmpty('no price was compared within this time');

export const changes: Row = {
  title: 'Changes and spikes',
  panels: [
    events({
      title: 'Prices compared, by what became of them',
      description: 'Recorded prices by comparison with the previous price. Weeks without a change are suspicious.',
      queries: [show(sum(increase('price_deltas_total', step), ['change_type']), ({ change_type }) => change_type)],
      tones: { unchanged: 'neutral' },
      empty: noPrice,
      width: 9,
      height: 8,
    }),
    events({
      title: 'Changes by currency',
      description:
        'Variants whose price differs from the previous price. A new currency means that the shop has changed it, or that the parser guesses.',
      queries: [show(sum(increase('price_changes_total', step), ['currency']), ({ currency }) => currency)],
      empty: unusedWhenEmpty('no price changed'),
      width: 8,
      height: 8,
    }),
    histogram({
      title: 'Distribution of the change',
      description:
        'New price divided by the previous price, for prices that changed within the time range. 2 means that the price doubled.',
      queries: [show(buckets({ name: 'price_change_ratio', window: range }), ({ le }) => le)],
      empty: unknownWhenEmpty('no price changed in this time range'),
      width: 7,
      height: 8,
    }),
    stat({
      title: 'Wild changes',
      description:
        'Share of the prices compared within the time range that changed by more than a half, up or down: usually errors of a feed or a parser.',
      queries: [show(ratio(...wildPrices([])), 'larger than a half')],
      thresholds: thresholds.wild_changes,
      empty: unknownWhenEmpty('no price was compared in this time range'),
      width: 4,
      height: 7,
    }),
    stat({
      title: 'Number of spikes',
      description:
        'Changes beyond the roaster\u2019s alert threshold (alert_price_delta_pct) that the shop does not mark as a sale.',
      queries: [show(sum(increase('price_spike_alerts_total', range)), 'spikes')],
      empty: healthyWhenEmpty('none'),
      width: 4,
      height: 7,
    }),
    events({
      title: 'Spikes',
      description:
        'Changes beyond the roaster\u2019s alert threshold, by roaster. Many together usually mean a broken feed.',
      queries: [
        show(
          sum(increase('price_spike_alerts_total', step), ['roaster', 'currency']),
          ({ roaster, currency }) => `${roaster} ${currency}`,
        ),
      ],
      empty: healthyWhenEmpty('no spike'),
      width: 8,
      height: 7,
      leadsTo: 'siphon-roaster',
    }),
    events({
      title: 'Prices that were entered',
      description: 'As the database has them, by currency.',
      queries: [show(sum(increase('prices_recorded_total', step), ['currency']), ({ currency }) => currency)],
      empty: unknownWhenEmpty('prices are not counted'),
      width: 8,
      height: 7,
    }),
    bars({
      title: 'Changes by roaster',
      description: 'Variants whose price differs from the one before, within the time range.',
      queries: [show(sum(increase('price_changes_total', range), ['roaster']), ({ roaster }) => roaster)],
      min: 0,
      empty: unusedWhenEmpty('no price changed'),
      width: 12,
      height: 7,
      leadsTo: 'siphon-roaster',
    }),
    events({
      title: 'New variants',
      description: 'Variants that were added to the catalogue. Their first price does not count as a change.',
      queries: [show(sum(increase('variants_created_total', step), ['roaster']), ({ roaster }) => roaster)],
      empty: unknownWhenEmpty('variants are not counted'),
      width: 12,
      height: 7,
    }),
  ],
};
