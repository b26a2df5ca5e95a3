import { scrapePipelineMetrics } from '../database-metrics.ts';
import type { CounterMetric } from '../../../metrics/metric.ts';
import type { CounterQuery } from '../../../components/receivers/db-poller/query.ts';
import { isHidden, references, type RoasterLabel } from './roaster-label.ts';

/** These rows are updated repeatedly, so each key is counted when it is first seen. */
export function countedCoffees(roaster: RoasterLabel): CounterQuery {
  return {
    ...created(roaster, scrapePipelineMetrics.coffees_created_total),
    needs: { coffees: ['id', 'roaster_id'], roasters: roaster.columns },
    table: 'coffees',
    columns: ['roaster_id'],
    details: (schema) => ({
      select: roaster.select,
      joins: `left join ${schema.table('roasters')} roaster on roaster.id = entry.roaster_id`,
      hidden: isHidden(schema, [{ from: 'entry.roaster_id', to: 'roaster.id', table: 'roasters' }]),
    }),
  };
}

export function countedVariants(roaster: RoasterLabel): CounterQuery {
  return {
    ...created(roaster, scrapePipelineMetrics.variants_created_total),
    needs: { variants: ['id', 'coffee_id'], coffees: ['id', 'roaster_id'], roasters: roaster.columns },
    table: 'variants',
    columns: ['coffee_id'],
    details: (schema) => ({
      select: roaster.select,
      joins: `left join ${schema.table('coffees')} coffee on coffee.id = entry.coffee_id
              left join ${schema.table('roasters')} roaster on roaster.id = coffee.roaster_id`,
      hidden: isHidden(schema, [{ from: 'entry.coffee_id', to: 'coffee.id', table: 'coffees' }, references.coffee]),
    }),
  };
}

function created(
  roaster: RoasterLabel,
  metric: CounterMetric,
): Pick<CounterQuery, 'pace' | 'key' | 'batchRows' | 'events' | 'everyRow' | 'known' | 'metrics' | 'meaning'> {
  return {
    pace: 'slow',
    key: ['id'],
    batchRows: 10_000,
    events: { created: 'true' },
    everyRow: 'created',
    known: roaster.known,
    metrics: [{ metric, event: 'created', fromZero: true }],
    meaning: roaster.meaning,
  };
}
