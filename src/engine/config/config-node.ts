import type { EmptyValue } from '../component.ts';

/** A configuration as it was written: values with their places. Immutable; nodes are shared. */
export type ConfigNode = ScalarNode | MappingNode | SequenceNode;

/** Where something was written. `line` counts from 1 and is absent if the source has no lines, like `--set`. */
export interface Place {
  readonly source: string;
  readonly line?: number | undefined;
}

/** From the root to a value, as in `['receivers', 'otlp', 'protocols']`. */
export type ConfigPath = readonly (string | number)[];

interface NodeBase {
  /** The place of the key for a value of a mapping, otherwise of the value. */
  readonly place: Place;
  /** The original text of a value that is one `${…}`. A setting of type string gets it instead of the parsed value. */
  readonly text?: string | undefined;
  /** The variables in this value whose text is empty. */
  readonly emptyVariables?: readonly EmptyVariable[] | undefined;
}

export interface EmptyVariable {
  readonly name: string;
  /** `unset`: it has no default either. `defaulted`: it is not set, and its default is empty. `empty`: it is set to nothing. */
  readonly state: 'unset' | 'defaulted' | 'empty';
  /** ` (did you mean X?)` if a variable with a similar name is set; otherwise empty. */
  readonly suggestion: string;
}

export interface ScalarNode extends NodeBase {
  readonly kind: 'scalar';
  /** Undefined counts as absent: the schema's default applies. */
  readonly value: string | number | boolean | null | undefined;
}

export interface MappingNode extends NodeBase {
  readonly kind: 'mapping';
  readonly entries: ReadonlyMap<string, ConfigNode>;
}

export interface SequenceNode extends NodeBase {
  readonly kind: 'sequence';
  readonly items: readonly ConfigNode[];
}

/** The child with this key or index. */
export function childOf(node: ConfigNode | undefined, key: string | number): ConfigNode | undefined {
  if (node?.kind === 'mapping') return node.entries.get(String(key));
  if (node?.kind === 'sequence') return node.items[Number(key)];
  return undefined;
}

/** The node at the path, or the last existing one on the way to it: a missing value is reported at its parent. */
export function nearestNode(root: ConfigNode, path: ConfigPath): ConfigNode {
  let node = root;
  for (const key of path) {
    const child = childOf(node, key);
    if (child === undefined) return node;
    node = child;
  }
  return node;
}

/** Names the empty variables of a value; undefined if it has none. */
export function describeEmptyVariables({
  emptyVariables = [],
}: Pick<ConfigNode, 'emptyVariables'>): string | undefined {
  const causes = emptyVariables.map(
    ({ name, state, suggestion }) => `\${env:${name}} is ${state === 'empty' ? 'empty' : 'not set'}${suggestion}`,
  );
  return causes.length === 0 ? undefined : [...new Set(causes)].join(' and ');
}

/** The empty variables of each value, by its path. */
export function emptyValuesIn(node: ConfigNode, path: ConfigPath = []): Map<string, EmptyValue> {
  const cause = describeEmptyVariables(node);
  const isDefault = node.emptyVariables?.every(({ state }) => state === 'defaulted') ?? false;
  const found = new Map(cause === undefined ? [] : [[formatPath(path), { cause, isDefault }]]);
  const children = node.kind === 'mapping' ? node.entries : node.kind === 'sequence' ? node.items.entries() : [];
  for (const [key, child] of children) for (const [at, why] of emptyValuesIn(child, [...path, key])) found.set(at, why);
  return found;
}

/** Plain values, without what is absent. */
export function toValue(node: ConfigNode): unknown {
  if (node.kind === 'scalar') return node.value;
  if (node.kind === 'sequence') return node.items.map(toValue);
  const entries = [...node.entries].map(([key, child]) => [key, toValue(child)] as const);
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined));
}

/** Like `toValue`, but with the original text of a value that is one `${…}`: two different texts are never equal. */
export function toWritten(node: ConfigNode): unknown {
  if (node.kind === 'scalar') return node.text ?? node.value;
  if (node.kind === 'sequence') return node.items.map(toWritten);
  return Object.fromEntries([...node.entries].map(([key, child]) => [key, toWritten(child)]));
}

/** `a::b::c`, as the Collector writes it. */
export function formatPath(path: ConfigPath): string {
  return path.join('::');
}
