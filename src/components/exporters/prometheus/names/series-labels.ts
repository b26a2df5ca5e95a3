import { wildcard } from '../../../../engine/wildcard.ts';
import { anyValueToText, type AnyValue, type KeyValueMap } from '../../../../engine/otlp/any-value.ts';
import { labelName } from './label-name.ts';
import { LabelSet } from './label-set.ts';
import type { FamilyType } from './metric-type.ts';
import type { Naming } from './naming.ts';

/** The options of the exporter that decide which labels a series has. */
export interface LabelOptions {
  readonly const_labels: Readonly<Record<string, string>>;
  readonly without_scope_info: boolean;
  readonly resource_to_telemetry_conversion: {
    readonly enabled: boolean;
    readonly exclude_service_attributes: boolean;
  };
  readonly resource_constant_labels?:
    | { readonly included: readonly string[]; readonly excluded: readonly string[] }
    | undefined;
}

/** The change to an attribute that cannot be a label under its own name. */
export type LabelChange = 'renamed' | 'dropped';

export interface Scope {
  readonly name: string;
  readonly version: string;
  readonly schemaUrl: string;
  readonly attributes: KeyValueMap;
}

/** Labels that samples of histograms and summaries add. An attribute with that name is renamed. */
const RESERVED: Readonly<Partial<Record<FamilyType, string>>> = { histogram: 'le', summary: 'quantile' };
const IDENTITY = new Set(['service.name', 'service.namespace', 'service.instance.id']);
const SCOPE_FIELDS = new Set(['name', 'version', 'schema_url']);

/** Computes the labels of a series, with the precedence of the stock Collector. */
export class SeriesLabels {
  readonly #options: LabelOptions;
  readonly #naming: Naming;
  readonly #constant: readonly (readonly [name: string, value: string])[];
  readonly #isConstant: (key: string) => boolean;
  readonly #changed: (change: LabelChange) => void;

  constructor(options: LabelOptions, naming: Naming, changed: (change: LabelChange) => void) {
    this.#options = options;
    this.#naming = naming;
    this.#constant = Object.entries(options.const_labels).flatMap(([key, value]) => {
      const name = labelName(key, naming);
      return name === undefined ? [] : [[name, value] as const];
    });
    this.#isConstant = constantAttributes(options);
    this.#changed = changed;
  }

  ofSeries(attributes: KeyValueMap, scope: Scope, resource: KeyValueMap, type: FamilyType): LabelSet {
    const labels = new LabelSet();
    labels.reserve('__name__');
    const reserved = RESERVED[type];
    if (reserved !== undefined) labels.reserve(reserved);
    for (const [name, value] of this.#constant) labels.claim(name, value);
    claimTarget(labels, resource);
    const withScope = !this.#options.without_scope_info;
    if (withScope) claimScope(labels, scope);
    this.#addAll(labels, new Map([...attributes, ...[...resource].filter(([key]) => this.#isConstant(key))]));
    if (withScope) this.#addAll(labels, otherAttributes(scope), 'otel_scope_');
    for (let i = 0; i < labels.renamed; i++) this.#changed('renamed');
    return labels;
  }

  /** The labels of `target_info`. */
  ofTarget(resource: KeyValueMap): LabelSet {
    const labels = new LabelSet();
    labels.reserve('__name__');
    claimTarget(labels, resource);
    this.#addAll(labels, new Map([...resource].filter(([key]) => !IDENTITY.has(key))));
    for (let i = 0; i < labels.renamed; i++) this.#changed('renamed');
    return labels;
  }

  #addAll(labels: LabelSet, attributes: KeyValueMap, prefix = ''): void {
    for (const [key, value] of sortedByKey(attributes)) {
      const name = labelName(prefix + key, this.#naming);
      if (name === undefined) this.#changed('dropped');
      else labels.add(name, anyValueToText(value));
    }
  }
}

/** Identifies a target; undefined if the resource has no service name or no instance. */
export function targetKey(resource: KeyValueMap): string | undefined {
  const instance = textOf(resource, 'service.instance.id');
  return textOf(resource, 'service.name') === '' || instance === '' ? undefined : `${jobOf(resource)}\n${instance}`;
}

/** The labels `job` and `instance` of the resource's series; empty if they are absent. */
export function targetOf(resource: KeyValueMap): { readonly job: string; readonly instance: string } {
  return {
    job: resource.has('service.name') ? jobOf(resource) : '',
    instance: textOf(resource, 'service.instance.id'),
  };
}

function claimScope(labels: LabelSet, { name, version, schemaUrl }: Scope): void {
  labels.claim('otel_scope_name', name);
  labels.claim('otel_scope_version', version);
  labels.claim('otel_scope_schema_url', schemaUrl);
}

/** Omits attributes that repeat a field of the scope, as the specification requires. */
function otherAttributes({ attributes }: Scope): KeyValueMap {
  return new Map([...attributes].filter(([key]) => !SCOPE_FIELDS.has(key)));
}

function claimTarget(labels: LabelSet, resource: KeyValueMap): void {
  if (resource.has('service.name')) labels.claim('job', jobOf(resource));
  if (resource.has('service.instance.id')) labels.claim('instance', textOf(resource, 'service.instance.id'));
}

function jobOf(resource: KeyValueMap): string {
  const namespace = resource.has('service.namespace') ? `${textOf(resource, 'service.namespace')}/` : '';
  return namespace + textOf(resource, 'service.name');
}

function textOf(attributes: KeyValueMap, key: string): string {
  return anyValueToText(attributes.get(key) ?? null);
}

function sortedByKey(attributes: KeyValueMap): [string, AnyValue][] {
  return [...attributes].toSorted(([a], [b]) => (a < b ? -1 : 1));
}

/** Selects the resource attributes that are labels of every series. If set, the newer key `resource_constant_labels` decides. */
function constantAttributes(options: LabelOptions): (key: string) => boolean {
  const { resource_constant_labels: chosen, resource_to_telemetry_conversion: all } = options;
  if (chosen === undefined) {
    return (key) => all.enabled && !(all.exclude_service_attributes && IDENTITY.has(key));
  }
  const included = chosen.included.map(wildcard);
  const excluded = chosen.excluded.map(wildcard);
  // Without `included`, all but the excluded ones.
  const includesAll = included.length === 0 && excluded.length > 0;
  return (key) => (includesAll || matches(included, key)) && !matches(excluded, key);
}

function matches(patterns: readonly ((text: string) => boolean)[], key: string): boolean {
  return patterns.some((pattern) => pattern(key));
}
