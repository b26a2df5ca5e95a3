import { anyValueToText, type KeyValueMap } from '../../collector/otlp/any-value.ts';
import type { PrometheusExporterConfig } from './config.ts';
import { labelName } from './label-name.ts';
import { LabelSet } from './label-text.ts';
import type { MetricType } from './metric-type.ts';
import type { Naming } from './naming.ts';

export interface Scope {
  readonly name: string;
  readonly version: string;
  readonly schemaUrl: string;
  readonly attributes: KeyValueMap;
}

/** Labels that a histogram or a summary writes itself; a user's own moves aside. */
const RESERVED: Readonly<Partial<Record<MetricType, string>>> = { histogram: 'le', summary: 'quantile' };
const IDENTITY = new Set(['service.name', 'service.namespace', 'service.instance.id']);
const SCOPE_FIELDS = new Set(['name', 'version', 'schema_url']);

/** Which labels a series carries, in the order in which the stock Collector gives them precedence. */
export class Labels {
  readonly #config: PrometheusExporterConfig;
  readonly #naming: Naming;

  constructor(config: PrometheusExporterConfig, naming: Naming) {
    this.#config = config;
    this.#naming = naming;
  }

  ofSeries(attributes: KeyValueMap, scope: Scope, resource: KeyValueMap, type: MetricType): LabelSet {
    const labels = new LabelSet();
    const all = new Map([...attributes, ...[...resource].filter(([key]) => this.#isConstant(key))]);
    this.#addAll(labels, all, '', RESERVED[type]);
    if (!this.#config.without_scope_info) this.#addScope(labels, scope);
    addTarget(labels, resource);
    for (const [name, value] of Object.entries(this.#config.const_labels)) labels.set(name, value);
    return labels;
  }

  /** Undefined where the resource lacks a name or an instance. */
  ofTarget(resource: KeyValueMap): LabelSet | undefined {
    if (!resource.has('service.name') || !resource.has('service.instance.id')) return undefined;
    const labels = new LabelSet();
    this.#addAll(labels, new Map([...resource].filter(([key]) => !IDENTITY.has(key))), '');
    addTarget(labels, resource);
    return labels;
  }

  #addAll(labels: LabelSet, attributes: KeyValueMap, prefix: string, reserved?: string): void {
    for (const key of [...attributes.keys()].toSorted()) {
      const name = labelName(prefix + key, this.#naming);
      if (name === undefined) continue;
      labels.add(name === reserved ? `exported_${name}` : name, anyValueToText(attributes.get(key) ?? null));
    }
  }

  #addScope(labels: LabelSet, { attributes, name, version, schemaUrl }: Scope): void {
    this.#addAll(labels, new Map([...attributes].filter(([key]) => !SCOPE_FIELDS.has(key))), 'otel_scope_');
    labels.set('otel_scope_name', name);
    labels.set('otel_scope_version', version);
    labels.set('otel_scope_schema_url', schemaUrl);
  }

  /** `resource_constant_labels` is the newer spelling and decides where it is given. */
  #isConstant(key: string): boolean {
    const { resource_constant_labels: chosen, resource_to_telemetry_conversion: all } = this.#config;
    if (chosen !== undefined) return matches(chosen.included, key) && !matches(chosen.excluded, key);
    return all.enabled && !(all.exclude_service_attributes && IDENTITY.has(key));
  }
}

function addTarget(labels: LabelSet, resource: KeyValueMap): void {
  const text = (key: string): string => anyValueToText(resource.get(key) ?? null);
  const namespace = resource.has('service.namespace') ? `${text('service.namespace')}/` : '';
  if (resource.has('service.name')) labels.set('job', namespace + text('service.name'));
  if (resource.has('service.instance.id')) labels.set('instance', text('service.instance.id'));
}

function matches(patterns: readonly string[], key: string): boolean {
  return patterns.some((pattern) => {
    const parts = pattern.split('*').map((part) => part.replaceAll(/[\\^$.*+?()[\]{}|]/g, String.raw`\$&`));
    return new RegExp(`^${parts.join('.*')}$`, 's').test(key);
  });
}
