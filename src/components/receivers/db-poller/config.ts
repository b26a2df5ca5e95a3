import * as v from 'valibot';
import { duration, positiveDuration, positiveInteger } from '../../../engine/schema/fields.ts';
import { Secret } from '../../../engine/schema/secret.ts';
import { storageReference } from '../../../engine/schema/extension-reference.ts';
import type { DatabasePack, PackQueries, QueryOverride } from './query.ts';
import { userQueries, type UserQueryConfig } from './user-queries/config.ts';

/** A pack that the configuration chooses. */
export interface ChosenPack {
  readonly name: string;
  readonly database: PackQueries;
  /** As the schema of the pack returns them. */
  readonly settings: unknown;
  /** By the name of the query. */
  readonly overrides: Readonly<Record<string, QueryOverride>>;
}

const override = v.strictObject({
  collection_interval: v.optional(positiveDuration()),
  timeout: v.optional(positiveDuration()),
});

const datasource = v.pipe(
  v.string('must be text such as ${env:DATABASE_URL}'),
  v.check(
    (text) => text === '' || (/^postgres(ql)?:\/\//.test(text) && URL.canParse(text)),
    'must be a URL, postgresql://user:password@host:5432/database, special characters of the password percent-encoded',
  ),
  v.transform((text) => new Secret(text)),
);

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
  storage: v.optional(storageReference),
  reconcile_interval: v.optional(positiveDuration(), '1h'),
  reconcile_timeout: v.optional(positiveDuration(), '60s'),
  max_connections: v.optional(v.pipe(positiveInteger(), v.maxValue(10, 'must be at most 10')), 2),
  leader_election: v.optional(leaderElection, {}),
  resource_attributes: v.optional(v.record(v.string(), v.string()), {}),
});

export interface DbPollerConfig extends v.InferOutput<typeof keys> {
  readonly packs: readonly ChosenPack[];
  readonly queries: readonly UserQueryConfig[];
}

/** @param packs the packs that the configuration may choose. */
export function dbPollerConfig(packs: readonly DatabasePack[]): v.GenericSchema<unknown, DbPollerConfig> {
  const names = packs.filter(({ database }) => database).map(({ name }) => name);
  return v.pipe(
    v.strictObject({
      ...keys.entries,
      packs: v.optional(chosenPacks(packs), {}),
      queries: v.optional(userQueries(packs.map(({ metrics }) => metrics)), []),
    }),
    v.forward(
      v.check(
        ({ packs: chosen, queries }) => chosen.length + queries.length > 0,
        `needs at least one pack (${names.join(', ')}) or queries of your own`,
      ),
      ['packs'],
    ),
  );
}

function chosenPacks(packs: readonly DatabasePack[]): v.GenericSchema<unknown, readonly ChosenPack[]> {
  const entries = packs.flatMap(({ name, database }) =>
    database ? [[name, v.optional(chosenPack(name, database))] as const] : [],
  );
  return v.pipe(
    v.strictObject(Object.fromEntries(entries)),
    v.transform((chosen) => Object.values(chosen).filter((pack) => pack !== undefined)),
  );
}

/** A key without a value chooses a pack too. */
function chosenPack(name: string, database: PackQueries): v.GenericSchema<unknown, ChosenPack> {
  const names = [...database.names.gauges, ...database.names.counters];
  const queries = v.record(v.picklist(names, `must be one of the pack's queries: ${names.join(', ')}`), override);
  return v.pipe(
    v.unknown(),
    v.transform((value) => value ?? {}),
    v.strictObject({ ...database.settings.entries, queries: v.optional(queries, {}) }),
    v.transform(({ queries: overrides, ...settings }) => ({ name, database, settings, overrides })),
  );
}
