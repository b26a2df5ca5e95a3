import * as v from 'valibot';
import { positiveDuration, positiveInteger } from '../../../components/receivers/db-poller/query.ts';
import { roasterLabels } from './roaster-label.ts';

const timeZone = v.pipe(
  v.string(),
  v.check(isTimeZone, 'must be the IANA name of a time zone, for example Asia/Kolkata'),
);

export const scrapePipelineSettings = v.strictObject({
  schema: v.optional(v.pipe(v.string(), v.nonEmpty('must name a schema')), 'public'),
  price_stale_after: v.optional(positiveDuration(), '192h'),
  cadence_timezone: v.optional(timeZone, 'UTC'),
  health_window: v.optional(positiveDuration(), '168h'),
  roaster_label: v.optional(v.picklist(roasterLabels, `must be one of ${roasterLabels.join(', ')}`), 'slug'),
  batch_rows: v.optional(v.pipe(positiveInteger(), v.maxValue(100_000, 'must be at most 100000')), 2000),
});

export type ScrapePipelineSettings = v.InferOutput<typeof scrapePipelineSettings>;

export const scrapePipelineQueryNames = {
  gauges: [
    'runs_running',
    'last_runs',
    'overdue',
    'roasters',
    'coffees',
    'review_rate',
    'variants',
    'variants_price_stale',
    'last_run_seen',
    'health',
  ],
  counters: ['runs', 'artifacts', 'prices', 'coffees_created', 'variants_created'],
} as const;

export type GaugeName = (typeof scrapePipelineQueryNames.gauges)[number];
export type CounterName = (typeof scrapePipelineQueryNames.counters)[number];

/** Offsets such as `+05:30` do not know daylight saving, so they are not names. */
function isTimeZone(name: string): boolean {
  try {
    return (
      /^[A-Za-z]/.test(name) && new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== ''
    );
  } catch {
    return false;
  }
}
