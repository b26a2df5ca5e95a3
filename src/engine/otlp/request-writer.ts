import { writeKeyValue, type AnyValue } from './any-value.ts';
import { fieldNumbers } from './schema.ts';
import { WireWriter } from './wire-writer.ts';

export type Attributes = Readonly<Record<string, string>>;

/** The source of telemetry. */
export interface Origin {
  /** Resource attributes. */
  readonly resource: Attributes;
  readonly scope: { readonly name: string; readonly version: string };
}

const RESOURCE = fieldNumbers('Resource');
const SCOPE = fieldNumbers('InstrumentationScope');
const RESOURCE_METRICS = fieldNumbers('ResourceMetrics');
const SCOPE_METRICS = fieldNumbers('ScopeMetrics');
const RESOURCE_LOGS = fieldNumbers('ResourceLogs');
const SCOPE_LOGS = fieldNumbers('ScopeLogs');

/** The field numbers from a request down to its metrics or log records. */
const LEVELS = {
  metrics: {
    resourceBlock: fieldNumbers('ExportMetricsServiceRequest').resource_metrics,
    resource: RESOURCE_METRICS.resource,
    scopeBlock: RESOURCE_METRICS.scope_metrics,
    scope: SCOPE_METRICS.scope,
    item: SCOPE_METRICS.metrics,
  },
  logs: {
    resourceBlock: fieldNumbers('ExportLogsServiceRequest').resource_logs,
    resource: RESOURCE_LOGS.resource,
    scopeBlock: RESOURCE_LOGS.scope_logs,
    scope: SCOPE_LOGS.scope,
    item: SCOPE_LOGS.log_records,
  },
} as const;

/**
 * The bytes of an export request with one resource and one scope.
 *
 * @param writeItem writes the body of one metric or log record.
 */
export function encodeRequest<Item>(
  signal: keyof typeof LEVELS,
  { resource, scope }: Origin,
  items: readonly Item[],
  writeItem: (writer: WireWriter, item: Item) => void,
): Uint8Array {
  const level = LEVELS[signal];
  const writer = new WireWriter();
  writer.messageField(level.resourceBlock, () => {
    writer.messageField(level.resource, () => writeAttributes(writer, RESOURCE.attributes, resource));
    writer.messageField(level.scopeBlock, () => {
      writer.messageField(level.scope, () => {
        writer.stringField(SCOPE.name, scope.name);
        writer.stringField(SCOPE.version, scope.version);
      });
      for (const item of items) writer.messageField(level.item, () => writeItem(writer, item));
    });
  });
  return writer.finish();
}

export function writeAttributes(
  writer: WireWriter,
  field: number,
  attributes: Readonly<Record<string, AnyValue>>,
): void {
  for (const [key, value] of Object.entries(attributes)) writeKeyValue(writer, field, key, value);
}

export function nanoseconds(unixMs: number): bigint {
  return BigInt(Math.round(unixMs)) * 1_000_000n;
}
