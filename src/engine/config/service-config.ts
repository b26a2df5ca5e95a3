import * as v from 'valibot';
import type { TelemetryConfig } from '../collector-config.ts';

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
    level: v.nullish(v.picklist(['none', 'basic', 'normal', 'detailed']), 'normal'),
    readers: v.nullish(readers, DEFAULT_READERS),
  }),
  v.transform((keys): TelemetryConfig['metrics'] => {
    const reader = keys.readers[0]?.pull.exporter.prometheus;
    if (keys.level === 'none' || reader === undefined) return undefined;
    return { endpoint: { host: reader.host, port: reader.port } };
  }),
);

const logs = v.strictObject({
  level: v.nullish(v.pipe(v.string(), v.toLowerCase(), v.picklist(['debug', 'info', 'warn', 'error'])), 'info'),
  encoding: v.nullish(v.picklist(['json', 'console', 'auto']), 'auto'),
});

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
      pipelines: v.nullish(v.record(v.string(), pipeline), {}),
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
    resource: notSupported('attributes for its own resource'),
    traces: notSupported('traces about itself'),
  }),
  {},
);

export type ServiceKeys = v.InferOutput<typeof serviceKeys>;
