import * as v from 'valibot';
import { duration, positiveDuration, secret, secretUrl } from '../../../engine/schema/fields.ts';
import { Secret } from '../../../engine/schema/secret.ts';
import { storageReference } from '../../../engine/schema/extension-reference.ts';
import { datasourceProblem } from '../../../postgres/datasource/datasource-problem.ts';
import { joinConnection, readDatasource, type Connection } from './datasource.ts';

const column = v.pipe(v.string(), v.nonEmpty('must name a column'));
const columns = v.optional(v.array(column), []);

const metric = v.pipe(
  v.strictObject({
    metric_name: v.pipe(v.string(), v.nonEmpty('must not be empty')),
    value_column: column,
    attribute_columns: columns,
    static_attributes: v.optional(v.record(v.string(), v.string()), {}),
    data_type: v.optional(v.picklist(['gauge', 'sum']), 'gauge'),
    value_type: v.optional(v.picklist(['int', 'double']), 'int'),
    monotonic: v.optional(v.boolean(), false),
    aggregation: v.optional(v.picklist(['cumulative', 'delta'])),
    unit: v.optional(v.string(), ''),
    description: v.optional(v.string(), ''),
    start_ts_column: v.optional(column),
    ts_column: v.optional(column),
    row_condition: v.optional(v.strictObject({ column, value: v.string() })),
  }),
  v.forward(
    v.check(
      ({ data_type, aggregation }) => data_type === 'sum' || aggregation === undefined,
      'requires data_type: sum',
    ),
    ['aggregation'],
  ),
);

const logs = v.strictObject({ body_column: column, attribute_columns: columns });

const query = v.pipe(
  v.strictObject({
    sql: v.pipe(v.string(), v.regex(/\S/, 'must not be empty')),
    name: v.optional(v.pipe(v.string(), v.nonEmpty('must not be empty'))),
    metrics: v.optional(v.array(metric), []),
    logs: v.optional(v.array(logs), []),
    tracking_column: v.optional(column),
    tracking_start_value: v.optional(v.string(), ''),
    ignore_null_values: v.optional(v.boolean(), false),
    collection_interval: v.optional(positiveDuration()),
    timeout: v.optional(duration()),
  }),
  v.check((one) => one.metrics.length + one.logs.length > 0, 'needs metrics or logs'),
  v.forward(
    v.check((one) => one.tracking_column === undefined || one.logs.length > 0, 'requires logs'),
    ['tracking_column'],
  ),
  v.forward(
    v.check((one) => one.tracking_start_value === '' || one.tracking_column !== undefined, 'needs tracking_column'),
    ['tracking_start_value'],
  ),
);

const OTHER_DRIVERS = new Set(['hdb', 'mysql', 'oracle', 'snowflake', 'sqlserver', 'sybase', 'tds']);

const driver = v.pipe(
  v.string(),
  v.check((name) => !OTHER_DRIVERS.has(name), 'must be postgres: siphon does not support other databases'),
  v.literal('postgres', 'must be postgres'),
);

const keys = v.strictObject({
  driver,
  datasource: v.optional(secretUrl()),
  host: v.optional(v.string(), ''),
  port: v.optional(v.pipe(v.number(), v.integer('must be a whole number'), v.minValue(0), v.maxValue(65_535)), 0),
  database: v.optional(v.string(), ''),
  username: v.optional(v.string(), ''),
  password: v.optional(secret()),
  additional_params: v.optional(v.record(v.string(), v.union([v.string(), v.number(), v.boolean()])), {}),
  queries: v.pipe(v.array(query), v.minLength(1, 'needs at least one query')),
  storage: v.optional(storageReference),
  telemetry: v.optional(
    v.strictObject({ logs: v.optional(v.strictObject({ query: v.optional(v.boolean(), false) }), {}) }),
    {},
  ),
  max_open_conn: v.optional(v.pipe(v.number(), v.integer('must be a whole number')), 0),
  collection_interval: v.optional(positiveDuration(), '10s'),
  initial_delay: v.optional(duration(), '1s'),
  timeout: v.optional(duration(), 0),
});

type Keys = v.InferOutput<typeof keys>;

export const sqlqueryConfig = v.pipe(
  keys,
  v.rawCheck<Keys>(({ dataset, addIssue }) => {
    if (!dataset.typed) return;
    for (const [key, message] of [...connectionProblems(dataset.value), ...nameProblems(dataset.value)]) {
      addIssue({
        message,
        path: [{ type: 'object', origin: 'value', input: dataset.value, key, value: dataset.value[key] }],
      });
    }
  }),
);

export type SqlqueryConfig = Keys;
export type QueryConfig = SqlqueryConfig['queries'][number];
export type MetricConfig = QueryConfig['metrics'][number];

/** Undefined if the keys of the connection are not valid. */
export function connectionOf(config: SqlqueryConfig): Connection | undefined {
  const { datasource, host, port, database, username, password, additional_params: params } = config;
  if (datasource && !datasource.isEmpty) return readDatasource(datasource.reveal());
  return joinConnection({ host, port, database, username, password: password?.reveal() ?? '', params });
}

type Problem = readonly [key: keyof Keys, message: string];

const FIELDS = ['host', 'port', 'database', 'username', 'password', 'additional_params'] as const;
const REQUIRED_FIELDS = ['host', 'port', 'database'] as const;

function connectionProblems(config: Keys): Problem[] {
  const isUnset = (key: keyof Keys): boolean => isEmpty(config[key]);
  if (!isUnset('datasource')) {
    const mixed = FIELDS.filter((key) => !isUnset(key));
    if (mixed.length > 0) return mixed.map((key) => [key, 'cannot be combined with datasource']);
  } else {
    if (config.datasource !== undefined && FIELDS.every(isUnset)) return [['datasource', 'must not be empty']];
    const missing = REQUIRED_FIELDS.filter(isUnset);
    if (missing.length > 0) return missing.map((key) => [key, 'must be set unless datasource is set']);
  }
  const urlProblem = config.datasource === undefined ? undefined : problemOf(config.datasource.reveal());
  if (urlProblem !== undefined) return [['datasource', urlProblem]];
  if (connectionOf(config)) return [];
  return isUnset('datasource')
    ? [['host', 'must be a host name, an address or the directory of a socket']]
    : [
        [
          'datasource',
          'must be postgresql://user:password@host:5432/database, special characters of the password percent-encoded, or host=… dbname=…',
        ],
      ];
}

/** Keywords and values are checked by the attempt to read them. */
function problemOf(datasource: string): string | undefined {
  return datasource.startsWith('postgres') ? datasourceProblem(datasource) : undefined;
}

function isEmpty(value: unknown): boolean {
  if (value instanceof Secret) return value.isEmpty;
  if (typeof value === 'object' && value !== null) return Object.keys(value).length === 0;
  return value === undefined || value === '' || value === 0;
}

function nameProblems({ queries }: Keys): Problem[] {
  const names = queries.flatMap(({ name }) => name ?? []);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  return twice === undefined ? [] : [['queries', `has two queries with the name ${twice}`]];
}
