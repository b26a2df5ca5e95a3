import { scrapePipelineMetrics } from '../database-metrics.ts';
import { metricColumns, type GaugeQuery } from '../../../components/receivers/db-poller/query.ts';
import type { RoasterLabel } from './roaster-label.ts';

export const roasters: GaugeQuery = {
  needs: { roasters: ['platform', 'is_active'] },
  metrics: metricColumns(scrapePipelineMetrics, { roasters: 'sum' }),
  pace: 'slow',
  statement: ({ table }) => ({
    text: `select platform, is_active, count(*) as roasters from ${table('roasters')} group by platform, is_active`,
  }),
};

export const coffees = (roaster: RoasterLabel): GaugeQuery => ({
  needs: { roasters: roaster.columns, coffees: ['roaster_id', 'status'] },
  uses: { coffees: ['processing_status'] },
  metrics: metricColumns(scrapePipelineMetrics, { coffees: 'sum' }),
  pace: 'slow',
  statement: ({ table, has }) => ({
    text: `
      select ${roaster.select}, c.status, c.processing_status, c.coffees
      from (select roaster_id, status, processing_status, count(*) as coffees
            from (select roaster_id, status, ${has('coffees', 'processing_status') ? 'processing_status' : 'null as processing_status'}
                  from ${table('coffees')}) coffee
            group by roaster_id, status, processing_status) c
      left join ${table('roasters')} roaster on roaster.id = c.roaster_id`,
  }),
});

export const reviewRate = (roaster: RoasterLabel): GaugeQuery => ({
  needs: { roasters: roaster.columns, coffees: ['roaster_id', 'processing_status'] },
  metrics: metricColumns(scrapePipelineMetrics, { review_rate_percent: 'drop' }),
  pace: 'slow',
  statement: ({ table }) => ({
    text: `
      select ${roaster.select}, c.review_rate_percent
      from (select roaster_id, 100.0 * count(*) filter (where processing_status::text = 'review')
                     / nullif(count(processing_status), 0) as review_rate_percent
            from ${table('coffees')} group by roaster_id) c
      left join ${table('roasters')} roaster on roaster.id = c.roaster_id`,
  }),
});
