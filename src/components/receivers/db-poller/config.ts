import * as v from 'valibot';
import { table as tableLabel } from '../../../packs/postgres-health/metrics.ts';
import { duration, positiveDuration, positiveInteger } from '../../../engine/schema/fields.ts';
import { Secret } from '../../../engine/schema/secret.ts';
import { storageSchema } from '../../../engine/storage.ts';
import type { QueryOverride } from './query.ts';
import { ownQueries } from './user-queries/config.ts';
import { exactQueryNames, queryNames } from './plan/query-names.ts';
import { roasterLabels } from '../../../packs/scrape-pipeline/queries/roaster-label.ts';

const override = v.strictObject({
  collection_interval: v.optional(positiveDuration()),
  timeout: v.optional(positiveDuration()),
});

/** What may be set for one query of a pack. */
function overrides(names: readonly string[]): v.GenericSchema<unknown, Readonly<Record<string, QueryOverride>>> {
  return v.record(v.picklist(names, `must be one of the pack's queries: ${names.join(', ')}`), override);
}

const datasource = v.pipe(
  v.string('must be text such as ${env:DATABASE_URL}'),
  v.check(
    (text) => text === '' || (/^postgres(ql)?:\/\//.test(text) && URL.canParse(text)),
    'must be a URL, postgresql://user:password@host:5432/database, special characters of the password percent-encoded',
  ),
  v.transform((text) => new Secret(text)),
);

const scrapePipeline = v.strictObject({
  schema: v.optional(v.pipe(v.string(), v.nonEmpty('must name a schema')), 'public'),
  price_stale_after: v.optional(positiveDuration(), '192h'),
  health_window: v.optional(positiveDuration(), '168h'),
  roaster_label: v.optional(v.picklist(roasterLabels, `must be one of ${roasterLabels.join(', ')}`), 'slug'),
  batch_rows: v.optional(v.pipe(positiveInteger(), v.maxValue(100_000, 'must be at most 100000')), 2000),
  queries: v.optional(overrides([...queryNames.scrape_pipeline, ...exactQueryNames.scrape_pipeline]), {}),
});

const tableNames = v.pipe(
  v.array(v.pipe(v.string(), v.regex(/^[^.]+\../, 'must be schema.table, as the catalogue spells them'))),
  v.maxLength(tableLabel.maxValues, `at most ${tableLabel.maxValues}: each is several series`),
);

const postgresHealth = v.strictObject({
  tables: v.optional(tableNames, []),
  queries: v.optional(overrides(queryNames.postgres_health), {}),
});

/** A key without a value switches a pack on too. */
const packs = v.strictObject({
  scrape_pipeline: v.optional(v.pipe(v.unknown(), v.transform(emptyIfNull), scrapePipeline)),
  postgres_health: v.optional(v.pipe(v.unknown(), v.transform(emptyIfNull), postgresHealth)),
});

const leaderElection = v.strictObject({
  enabled: v.optional(v.boolean(), true),
  datasource: v.optional(datasource),
  name: v.optional(v.pipe(v.string(), v.nonEmpty('must be a name'))),
});

const keys = v.strictObject({
  datasource,
  collection_interval: v.optional(positiveDuration(), '15s'),
  initial_delay: v.optional(duration(), '1s'),
  timeout: v.optional(positiveDuration(), '5s'),
  lock_timeout: v.optional(positiveDuration(), '1s'),
  connect_timeout: v.optional(positiveDuration(), '5s'),
  storage: v.optional(storageSchema),
  reconcile_interval: v.optional(positiveDuration(), '1h'),
  reconcile_timeout: v.optional(positiveDuration(), '60s'),
  max_connections: v.optional(v.pipe(positiveInteger(), v.maxValue(10, 'must be at most 10')), 2),
  leader_election: v.optional(leaderElection, {}),
  resource_attributes: v.optional(v.record(v.string(), v.string()), {}),
  packs: v.optional(packs, {}),
  queries: v.optional(ownQueries, []),
});

export const configSchema = v.pipe(
  keys,
  v.forward(
    v.check(
      ({ packs: chosen, queries }) => Object.keys(chosen).length + queries.length > 0,
      'needs at least one pack, scrape_pipeline or postgres_health, or else queries of your own',
    ),
    ['packs'],
  ),
);

export type DbPollerConfig = v.InferOutput<typeof configSchema>;

function emptyIfNull(value: unknown): unknown {
  return value ?? {};
}
