import * as v from 'valibot';
import { duration, positiveDuration, positiveInteger } from '../../../engine/schema/fields.ts';
import { SecretUrl } from '../../../engine/schema/secret.ts';
import { datasourceProblem } from '../../../postgres/datasource/datasource-problem.ts';
import { storageReference } from '../../../engine/schema/extension-reference.ts';
import { isModuleFile, moduleKeys } from '../../../engine/schema/module-keys.ts';
import { createQueries, hasQueries, type PolledPack } from './packs/create-queries.ts';
import { importPack } from './packs/import-pack.ts';
import type { DatabasePack, PackQueries, QueryOverride } from './query.ts';
import { prometheusName, userQueries, type UserQueryConfig } from './user-queries/config.ts';

/** A pack that the configuration chooses. */
export interface ChosenPack {
  /** Its key in the configuration: its name, or the absolute path of its file. */
  readonly key: string;
  readonly name: string;
  readonly metrics: DatabasePack['metrics'];
  readonly database: PackQueries;
  /** The output of the pack's settings schema. */
  readonly settings: unknown;
  /** Keyed by the name of the query. */
  readonly overrides: Readonly<Record<string, QueryOverride>>;
}

const override = v.strictObject({
  collection_interval: v.optional(positiveDuration()),
  timeout: v.optional(positiveDuration()),
});

const datasource = v.pipe(
  v.string('must be text such as ${env:DATABASE_URL}'),
  v.rawCheck<string>(({ dataset, addIssue }) => {
    const message = dataset.typed && dataset.value !== '' ? datasourceProblem(dataset.value) : undefined;
    if (message !== undefined) addIssue({ message });
  }),
  v.transform((text) => new SecretUrl(text)),
);

const leaderElection = v.strictObject({
  enabled: v.optional(v.boolean(), true),
  datasource: v.optional(datasource),
  name: v.optional(v.pipe(v.string(), v.nonEmpty('must be a name'))),
});

/** Further databases that are polled: each holds a connection. */
export const MOST_DATABASES = 20;

const databaseName = v.pipe(v.string(), v.regex(/^\P{Cc}+$/u, 'must be the name of a database'));
const databaseNames = v.pipe(
  v.array(databaseName, 'must be all, or a list of names'),
  v.maxLength(MOST_DATABASES, `at most ${MOST_DATABASES}: each holds a connection`),
);

const lockWaits = v.strictObject({
  enabled: v.optional(v.boolean(), true),
  look_interval: v.optional(positiveDuration()),
  sample_interval: v.optional(positiveDuration(), '1s'),
});

const keys = v.strictObject({
  datasource,
  databases: v.optional(
    v.lazy((input): v.GenericSchema<unknown, 'all' | string[]> => (input === 'all' ? v.literal('all') : databaseNames)),
    [],
  ),
  exclude_databases: v.optional(v.array(databaseName), []),
  collection_interval: v.optional(positiveDuration(), '15s'),
  wake_interval: v.optional(positiveDuration()),
  initial_delay: v.optional(duration(), '1s'),
  timeout: v.optional(positiveDuration(), '5s'),
  lock_timeout: v.optional(positiveDuration(), '1s'),
  connect_timeout: v.optional(positiveDuration(), '5s'),
  storage: v.optional(storageReference),
  reconcile_interval: v.optional(positiveDuration(), '1h'),
  reconcile_timeout: v.optional(positiveDuration(), '60s'),
  max_keys: v.optional(positiveInteger()),
  max_connections: v.optional(v.pipe(positiveInteger(), v.maxValue(10, 'must be at most 10')), 2),
  leader_election: v.optional(leaderElection, {}),
  lock_waits: v.optional(lockWaits, {}),
  resource_attributes: v.optional(v.record(v.string(), v.string()), {}),
});

export interface DbPollerConfig extends v.InferOutput<typeof keys> {
  readonly packs: readonly ChosenPack[];
  readonly queries: readonly UserQueryConfig[];
}

/** @param packs the built-in packs that the configuration may choose by name. */
export function dbPollerConfig(packs: readonly DatabasePack[]): v.GenericSchemaAsync<unknown, DbPollerConfig> {
  const builtIn = packs.filter(hasQueries);
  return v.pipeAsync(
    v.strictObjectAsync({
      ...keys.entries,
      packs: v.optionalAsync(chosenPacks(builtIn, packs), {}),
      queries: v.optional(userQueries(packs.map(({ metrics }) => metrics)), []),
    }),
    v.forward(
      v.check(
        ({ packs: chosen, queries }) => chosen.length + queries.length > 0,
        `needs at least one pack (${builtIn.map(({ name }) => name).join(', ')} or a file) or queries of your own`,
      ),
      ['packs'],
    ),
    v.forward(
      v.check(
        ({ wake_interval, leader_election }) => wake_interval === undefined || !leader_election.enabled,
        'requires leader_election::enabled: false, because the lock of a leader needs a connection that stays open: only one sidecar may poll this database',
      ),
      ['wake_interval'],
    ),
    v.rawCheck(({ dataset, addIssue }) => {
      const { value } = dataset as { value: DbPollerConfig };
      for (const [key, message] of dataset.typed ? [...databaseProblems(value), ...metricConflicts(value)] : [])
        addIssue({
          message,
          path: [{ type: 'object', origin: 'value', input: { ...value }, key, value: value[key] }],
        });
    }),
  );
}

/** The chosen packs, keyed by name or by the absolute path of a module. */
function chosenPacks(
  builtIn: readonly PolledPack[],
  packs: readonly DatabasePack[],
): v.GenericSchemaAsync<unknown, readonly ChosenPack[]> {
  const byName = Object.fromEntries(
    builtIn.map((pack) => [pack.name, v.optional(v.nullable(chosenPack(pack.name, pack), {}))]),
  );
  return v.pipeAsync(
    v.objectWithRest(byName, v.unknown()),
    moduleKeys(),
    v.lazyAsync(async (given) => {
      const keysGiven = Object.keys(given as object);
      const files = keysGiven.filter(isModuleFile);
      const withoutQueries = packs.filter((pack) => !hasQueries(pack) && keysGiven.includes(pack.name));
      const unused = withoutQueries.map(({ name }) => [
        name,
        unusable(`${NO_QUERIES}; its dashboards need no entry here`),
      ]);
      const known = Object.fromEntries(Object.keys(byName).map((name) => [name, v.optional(v.any())]));
      return v.strictObjectAsync({ ...known, ...Object.fromEntries(unused), ...(await packsInFiles(files, builtIn)) });
    }),
    v.transform((chosen) => Object.values(chosen).filter((pack) => pack !== undefined) as ChosenPack[]),
  );
}

const NO_QUERIES = 'has no queries, so db_poller cannot use it';

type ChosenPackSchema = v.GenericSchema<unknown, ChosenPack> | v.GenericSchemaAsync<unknown, ChosenPack>;

/** A schema for each file. It reports why the file cannot be used. */
async function packsInFiles(
  files: readonly string[],
  builtIn: readonly PolledPack[],
): Promise<Record<string, ChosenPackSchema>> {
  const imported = await Promise.all(files.map(async (file) => [file, await importPolledPack(file)] as const));
  const owners = new Map(builtIn.map(({ name }) => [name, 'a built-in pack']));
  return Object.fromEntries(
    imported.map(([file, pack]) => {
      if (typeof pack === 'string') return [file, unusable(pack)];
      const owner = owners.get(pack.name);
      owners.set(pack.name, owner ?? file);
      return [file, owner === undefined ? v.nullishAsync(packInFile(file, pack), {}) : unusable(`has the same name as ${owner}: ${pack.name}`)]; // prettier-ignore
    }),
  );
}

/** Returns a sentence about the problem if the file has no pack with queries. */
async function importPolledPack(file: string): Promise<PolledPack | string> {
  try {
    const pack = await importPack(file);
    return hasQueries(pack) ? pack : `pack ${pack.name} ${NO_QUERIES}`;
  } catch (error) {
    return (error as Error).message;
  }
}

/** Creates the queries of the pack once, so that the start reports a pack that is not consistent. */
function packInFile(file: string, pack: PolledPack): v.GenericSchemaAsync<unknown, ChosenPack> {
  return v.pipeAsync(
    chosenPack(file, pack),
    v.rawCheckAsync(async ({ dataset, addIssue }) => {
      if (!dataset.typed) return;
      try {
        await createQueries(pack, dataset.value.settings);
      } catch (error) {
        addIssue({ message: (error as Error).message });
      }
    }),
  );
}

function unusable(message: string): v.GenericSchema<unknown, ChosenPack> {
  return v.pipe(
    v.nullish(v.unknown(), {}),
    v.rawTransform(({ addIssue, NEVER }) => {
      addIssue({ message });
      return NEVER;
    }),
  );
}

function chosenPack(key: string, { name, metrics, database }: PolledPack): v.GenericSchema<unknown, ChosenPack> {
  const names = [...database.names.gauges, ...database.names.counters];
  const queries = v.record(v.picklist(names, `must be one of the pack's queries: ${names.join(', ')}`), override);
  return v.pipe(
    v.strictObject({ ...database.settings?.entries, queries: v.optional(queries, {}) }),
    v.transform(({ queries: overrides, ...settings }) => ({ key, name, metrics, database, settings, overrides })),
  );
}

function databaseProblems(config: DbPollerConfig): [keyof DbPollerConfig, string][] {
  const { databases, exclude_databases: excluded, resource_attributes: attributes, packs } = config;
  const problems: [keyof DbPollerConfig, string][] = [];
  if (excluded.length > 0 && databases !== 'all') problems.push(['exclude_databases', 'needs databases: all']);
  if (databases.length === 0) return problems;
  if (config.wake_interval !== undefined) problems.push(['databases', 'cannot be used with wake_interval: use one receiver for each database']); // prettier-ignore
  if (packs.length === 0) problems.push(['databases', 'needs a pack, such as postgres_health: your own queries read the database of the datasource']); // prettier-ignore
  if (attributes['service.instance.id'] !== undefined)
    problems.push(['databases', 'needs the default of resource_attributes::service.instance.id, which distinguishes the databases']); // prettier-ignore
  return problems;
}

/** Metrics that two packs, or a pack and a query of the user, would publish. */
function metricConflicts({ packs, queries }: DbPollerConfig): ['packs' | 'queries', string][] {
  const owners = new Map<string, string>();
  const conflicts: ['packs' | 'queries', string][] = [];
  for (const { key, metrics } of packs)
    for (const [prometheus, { source }] of Object.entries(metrics)) {
      const owner = owners.get(prometheusName(prometheus));
      if (source === 'poller' && owner !== undefined)
        conflicts.push(['packs', `${key} and ${owner} both publish the metric ${prometheus}`]);
      if (source === 'poller') owners.set(prometheusName(prometheus), key);
    }
  for (const { name, metric_name } of queries) {
    const owner = owners.get(prometheusName(metric_name));
    if (owner !== undefined) conflicts.push(['queries', `${name} and the pack ${owner} both publish the metric ${metric_name}`]); // prettier-ignore
  }
  return conflicts;
}
