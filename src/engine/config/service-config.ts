import * as v from 'valibot';
import type { TelemetryConfig } from '../collector-config.ts';
import { nonNegativeInteger, positiveInteger, timerDuration } from '../schema/fields.ts';

/** The fixed behaviour of siphon's metrics page. */
const always = v.optional(v.literal(true, 'must be true, because siphon keeps the stock names of its metrics'));

const prometheusReader = v.strictObject({
  host: v.nullish(v.string(), '127.0.0.1'),
  port: v.nullish(
    v.pipe(
      v.number(),
      v.integer('must be a whole number'),
      v.minValue(0, 'must not be negative'),
      v.maxValue(65_535, 'must be at most 65535'),
    ),
    8888,
  ),
  without_type_suffix: always,
  without_units: always,
  without_scope_info: always,
});

const readers = v.pipe(
  v.array(
    v.strictObject({
      pull: v.strictObject({ exporter: v.strictObject({ prometheus: v.nullish(prometheusReader, {}) }) }),
    }),
  ),
  v.maxLength(1, 'must contain at most one reader'),
);

const DEFAULT_READERS = [{ pull: { exporter: { prometheus: {} } } }];

const metrics = v.pipe(
  v.strictObject({
    level: v.nullish(
      v.pipe(v.string(), v.toLowerCase(), v.picklist(['none', 'basic', 'normal', 'detailed'])),
      'normal',
    ),
    readers: v.nullish(readers, DEFAULT_READERS),
  }),
  v.transform((keys): TelemetryConfig['metrics'] => {
    const reader = keys.readers[0]?.pull.exporter.prometheus;
    if (keys.level === 'none' || reader === undefined) return undefined;
    return { endpoint: { host: reader.host, port: reader.port } };
  }),
);

/** The Collector has three levels above error; siphon has no lines there. */
const logLevel = v.pipe(
  v.string(),
  v.toLowerCase(),
  v.picklist(['debug', 'info', 'warn', 'error', 'dpanic', 'panic', 'fatal']),
  v.transform((level) => (level === 'dpanic' || level === 'panic' ? 'fatal' : level)),
);

/** The Collector's keys. Its defaults, 10 and 100, would hide lines of a start with many components. */
const sampling = v.pipe(
  v.strictObject({
    enabled: v.nullish(v.boolean(), true),
    tick: v.pipe(v.nullish(timerDuration(), '10s'), v.gtValue(0, 'must be longer than 0s')),
    initial: v.nullish(positiveInteger(), 100),
    thereafter: v.nullish(nonNegativeInteger(), 0),
  }),
  v.transform(({ enabled, tick, initial, thereafter }): TelemetryConfig['logs']['sampling'] =>
    enabled ? { tickMs: tick, initial, thereafter } : undefined,
  ),
);

const logs = v.strictObject({
  level: v.nullish(logLevel, 'info'),
  encoding: v.nullish(v.picklist(['json', 'console', 'auto']), 'auto'),
  sampling: v.nullish(sampling, {}),
});

const attributeValue = v.pipe(v.union([v.string(), v.number(), v.boolean()]), v.transform(String));

/** Both of the Collector's forms: a mapping from names to values, and the list `attributes`. */
const resource = v.pipe(
  v.objectWithRest(
    {
      attributes: v.optional(
        v.array(v.strictObject({ name: v.string(), value: attributeValue, type: v.optional(v.string()) })),
        [],
      ),
    },
    v.nullable(attributeValue),
  ),
  v.transform(({ attributes, ...named }): TelemetryConfig['resource'] => ({
    ...named,
    ...Object.fromEntries(attributes.map(({ name, value }) => [name, value])),
  })),
);

/** A key of the Collector that siphon does not support. It may only be empty. */
function notSupported(what: string): v.OptionalSchema<v.GenericSchema, undefined> {
  return v.optional(v.custom<unknown>(isEmpty, `must be left out: siphon does not support ${what}`));
}

function isEmpty(value: unknown): boolean {
  return typeof value === 'object' && Object.keys(value ?? {}).length === 0;
}

const references = v.nullish(v.array(v.string()), []);

const pipeline = v.strictObject({ receivers: references, processors: references, exporters: references });

/** The section `service` without its telemetry. `checkService` checks the references. */
export const serviceKeys = v.pipe(
  v.nullish(
    v.strictObject({
      extensions: references,
      pipelines: v.nullish(v.record(v.string(), v.nullish(pipeline, {})), {}),
      telemetry: v.optional(v.unknown()),
    }),
  ),
  v.transform((keys) => ({ extensions: keys?.extensions ?? [], pipelines: keys?.pipelines ?? {} })),
);

/** `service::telemetry`, read separately so that a mistake in it does not hide those in the pipelines. */
export const telemetryConfig = v.nullish(
  v.strictObject({
    logs: v.nullish(logs, {}),
    metrics: v.nullish(metrics, {}),
    resource: v.nullish(resource, {}),
    traces: notSupported('traces about itself'),
  }),
  {},
);

export type ServiceKeys = v.InferOutput<typeof serviceKeys>;
