import * as v from 'valibot';
import { suggest } from '../../../../engine/config/nearest-name.ts';
import type { Metric } from '../../../../metrics/metric.ts';
import { parseExpression } from './expression.ts';
import { userLabels } from './labels.ts';
import { positiveDuration, positiveInteger } from '../../../../engine/schema/fields.ts';

/** PostgreSQL accepts any other name, and cuts off longer ones. */
const column = v.pipe(
  v.string(),
  v.nonEmpty('must be the name of a column'),
  v.maxBytes(63, 'must be the name of a column: at most 63 bytes'),
  v.check((name) => !name.includes('\0'), 'must be the name of a column'),
);
const columns = v.array(column);
const tableName = v.pipe(v.string(), v.regex(/^[^.]+\.[^.]+$/, 'must be schema.table, spelled as in pg_class'));

/** Values of the label `query` that siphon uses itself. */
const reserved: ReadonlySet<string> = new Set(['databases', 'horizon', 'leader_election', 'lock_waits']);

const common = {
  name: v.pipe(
    v.string(),
    v.regex(/^[a-z0-9_]+$/, 'must consist of lower-case letters, digits and _'),
    v.check((name) => !reserved.has(name), 'is reserved by siphon'),
  ),
  metric_name: v.pipe(v.string(), v.regex(/^[a-zA-Z_][a-zA-Z0-9_.]*$/, 'must be the name of a metric')),
  unit: v.optional(v.string(), ''),
  description: v.optional(v.string(), ''),
  labels: v.optional(userLabels(), []),
  max_label_values: v.optional(v.pipe(positiveInteger(), v.maxValue(1000, 'must be at most 1000')), 100),
  collection_interval: v.optional(positiveDuration()),
  timeout: v.optional(positiveDuration()),
};

const rows = {
  ...common,
  table: tableName,
  key: v.optional(v.pipe(columns, v.nonEmpty('must name at least one column'))),
  where: v.optional(v.pipe(v.string(), v.nonEmpty('must be a condition'))),
  append_only: v.optional(v.boolean(), false),
  time_column: v.optional(column),
};

const values = {
  value_column: v.optional(column),
  value: v.optional(v.pipe(v.string(), v.rawTransform(({ dataset, addIssue, NEVER }) => {
    try {
      return parseExpression(dataset.value);
    } catch (error) {
      addIssue({ message: (error as Error).message });
      return NEVER;
    }
  }))),
}; // prettier-ignore

const ascending = v.pipe(
  v.array(v.pipe(v.number(), v.finite())),
  v.nonEmpty('needs at least one bound'),
  v.check((bounds) => bounds.every((bound, i) => i === 0 || bound > bounds[i - 1]!), 'must be ascending'),
);

const gauge = v.strictObject({
  ...common,
  ...values,
  kind: v.literal('gauge'),
  sql: v.optional(v.pipe(v.string(), v.nonEmpty('must be a query'))),
  table: v.optional(tableName),
});
const counter = v.strictObject({ ...rows, kind: v.literal('counter') });
const sum = v.strictObject({ ...rows, ...values, kind: v.literal('sum') });
const histogram = v.strictObject({ ...rows, ...values, kind: v.literal('histogram'), buckets: ascending });

export type UserGaugeConfig = v.InferOutput<typeof gauge>;
export type UserCounterConfig =
  | v.InferOutput<typeof counter>
  | v.InferOutput<typeof sum>
  | v.InferOutput<typeof histogram>;
export type UserQueryConfig = UserGaugeConfig | UserCounterConfig;

const byKind = { counter, sum, histogram, gauge } as const;
const KINDS = Object.keys(byKind) as (keyof typeof byKind)[];

/** The schema for the kind of a query. Without a known kind it is that of the kind which the query resembles. */
function ofKind(input: unknown): v.GenericSchema<unknown, UserQueryConfig> {
  const given = isRecord(input) ? input : {};
  const { kind } = given;
  if (isKind(kind)) return byKind[kind];
  const similar = KINDS.find((one) => suggestedKind(kind).includes(one)) ?? ('sql' in given ? 'gauge' : 'buckets' in given ? 'histogram' : 'counter'); // prettier-ignore
  const schema: v.GenericSchema<unknown, unknown> = v.strictObject({
    ...byKind[similar].entries,
    kind: v.optional(v.unknown()),
  });
  // `problemsOf` refuses it.
  return schema as v.GenericSchema<unknown, UserQueryConfig>;
}

function isKind(kind: unknown): kind is keyof typeof byKind {
  return (KINDS as readonly unknown[]).includes(kind);
}

function suggestedKind(kind: unknown): string {
  return typeof kind === 'string' ? suggest(kind, KINDS) : '';
}

/** A query as far as it could be read, which may be invalid. */
type Draft = Readonly<Record<string, unknown>>;

function isRecord(input: unknown): input is Draft {
  return typeof input === 'object' && input !== null && !Array.isArray(input);
}

/** The problems of the kind, and of keys that contradict or need each other, with the key. */
function problemsOf({ kind, sql, table, labels, value, value_column }: Draft): [key: string, message: string][] {
  if (!isKind(kind)) return [['kind', `must be counter, sum, histogram or gauge${suggestedKind(kind)}`]];
  if (kind === 'counter') return [];
  const given = [value_column, value].filter((one) => one !== undefined);
  const found: [string, string][] = given.length === 1 ? [] : [['value_column', 'set value_column, or value for an expression, and not both']]; // prettier-ignore
  if (kind !== 'gauge') return found;
  const looksUp = Array.isArray(labels) && labels.some((label) => isRecord(label) && label['lookup'] !== undefined);
  if ((sql === undefined) === (table === undefined)) found.push(['sql', 'set sql, or table for a view or table, and not both']); // prettier-ignore
  if (sql !== undefined && value !== undefined) found.push(['value', 'needs table: compute it in sql']);
  if (sql !== undefined && looksUp) found.push(['labels', 'a lookup needs table: join it in sql']);
  return found;
}

/**
 * The schema of the user's queries. Their names and metrics must be unique.
 *
 * @param known the metrics of the packs, by their Prometheus names, which a query must not publish.
 */
export function userQueries(
  known: readonly Readonly<Record<string, Metric>>[],
): v.GenericSchema<unknown, readonly UserQueryConfig[]> {
  const taken = new Set(
    known.flatMap((metrics) =>
      Object.entries(metrics).flatMap(([prometheus, { name }]) => [prometheusName(prometheus), prometheusName(name)]),
    ),
  );
  const isTaken = ({ metric_name }: Draft): boolean =>
    typeof metric_name === 'string' && taken.has(prometheusName(metric_name));
  const query = v.pipe(
    v.lazy(ofKind),
    v.rawCheck(({ dataset, addIssue }) => {
      if (!isRecord(dataset.value)) return;
      const input = { ...dataset.value };
      const found = problemsOf(input);
      if (isTaken(input)) found.push(['metric_name', 'is already the name of a metric of siphon or of a pack']);
      for (const [key, message] of found)
        addIssue({ message, path: [{ type: 'object', origin: 'value', input, key, value: undefined }] });
    }),
  );
  return v.pipe(v.array(query), uniqueBy('name', String), uniqueBy('metric_name', prometheusName));
}

/** Refuses a query whose key has the same value as in a query above it. Also if other keys are invalid. */
function uniqueBy(key: 'name' | 'metric_name', normalized: (text: string) => string) {
  return v.rawCheck<UserQueryConfig[]>(({ dataset, addIssue }) => {
    if (!Array.isArray(dataset.value)) return;
    const queries: readonly unknown[] = dataset.value;
    const first = new Map<string, Draft>();
    for (const [index, query] of queries.entries()) {
      if (!isRecord(query) || typeof query[key] !== 'string') continue;
      const earlier = first.get(normalized(query[key]));
      if (earlier === undefined) first.set(normalized(query[key]), query);
      else {
        const message =
          key === 'name'
            ? 'is already the name of another query'
            : `has the same Prometheus name as ${String(earlier[key])} of the query ${String(earlier['name'])}`;
        const at = { type: 'object', origin: 'value', input: { ...query }, key, value: query[key] } as const;
        addIssue({
          message,
          path: [{ type: 'array', origin: 'value', input: [...queries], key: index, value: query }, at],
        });
      }
    }
  });
}

/** The Prometheus name of a metric, without `_total`, for comparing names. */
export function prometheusName(metricName: string): string {
  return metricName.replaceAll('.', '_').replace(/_total$/, '');
}
