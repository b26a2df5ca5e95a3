import { dirname } from 'node:path';
import { isModuleFile, pathOfModule } from '../schema/module-keys.ts';
import {
  toValue,
  type ConfigNode,
  type ConfigPath,
  type MappingNode,
  type Place,
  type ScalarNode,
  type SequenceNode,
} from './config-node.ts';

type UnknownKeyReporter = (place: Place, path: ConfigPath, allowed: readonly string[]) => void;

/**
 * The node as the schema wants to read it, so that one parse finds every remaining problem:
 * - An unknown key is reported and counts as absent.
 * - A key without a value (`timeout:`) counts as absent, unless the schema gives null a meaning.
 * - A value from `${…}` is text where the schema wants text, so that a password of digits stays one.
 * - A list instead of a mapping becomes a value that the schema refuses. Valibot itself accepts a list.
 * - A key that is a module file becomes an absolute path.
 */
export async function prepare(
  schema: unknown,
  node: ConfigNode,
  onUnknownKey: UnknownKeyReporter,
): Promise<ConfigNode> {
  return await new Preparation(onUnknownKey).node(schema as Schema, node, []);
}

/** The parts of a valibot schema that decide what happens to a node. */
interface Schema {
  readonly kind: string;
  readonly type: string;
  readonly wrapped?: Schema;
  readonly pipe?: readonly Schema[];
  readonly options?: readonly Schema[] | undefined;
  /** The discriminator of a variant. */
  readonly key?: unknown;
  readonly entries?: Readonly<Record<string, Schema>>;
  readonly rest?: Schema;
  readonly value?: Schema;
  readonly item?: Schema;
  readonly literal?: unknown;
  readonly metadata?: { readonly keys?: unknown };
  readonly getter?: (input: unknown) => Schema | Promise<Schema>;
}

type ValueKind = 'null' | 'boolean' | 'number' | 'string' | 'mapping' | 'sequence';

class Preparation {
  readonly #onUnknownKey: UnknownKeyReporter;

  constructor(onUnknownKey: UnknownKeyReporter) {
    this.#onUnknownKey = onUnknownKey;
  }

  async node(schema: Schema, node: ConfigNode, path: ConfigPath): Promise<ConfigNode> {
    if (schema.pipe !== undefined) return await this.#pipe(schema.pipe, node, path);
    if (isEmpty(node) && isOptionalUnknown(schema)) return absent(node);
    if (accepts(schema, 'null') && kindOf(node) === 'null') return node;
    if (schema.wrapped !== undefined) return await this.node(schema.wrapped, node, path);
    if (schema.getter !== undefined) return await this.node(await schema.getter(toValue(node)), node, path);
    if (alternativesOf(schema) !== undefined) return await this.#alternatives(schema, node, path);
    if (schema.type === 'string') return asText(node);
    return await this.#value(schema, node, path);
  }

  async #value(schema: Schema, node: ConfigNode, path: ConfigPath): Promise<ConfigNode> {
    if (node.kind === 'mapping') return await this.#mapping(schema, node, path);
    if (node.kind === 'sequence') return await this.#sequence(schema, node, path);
    return isEmpty(node) ? absent(node) : node;
  }

  /** The first step decides about the value itself. Later steps see what the first one made of it, but with the same keys. */
  async #pipe([first, ...steps]: readonly Schema[], node: ConfigNode, path: ConfigPath): Promise<ConfigNode> {
    let prepared = node;
    if (steps.some(({ metadata }) => metadata?.keys === 'module files')) prepared = withAbsoluteKeys(prepared);
    prepared = await this.node(first as Schema, prepared, path);
    for (const step of steps) {
      const isStructure = step.kind === 'schema' && prepared.kind !== 'scalar' && accepts(step, 'mapping');
      if (isStructure) prepared = await this.node(step, prepared, path);
    }
    return prepared;
  }

  /** Nothing is changed if the value does not show which alternative is meant. */
  async #alternatives(schema: Schema, node: ConfigNode, path: ConfigPath): Promise<ConfigNode> {
    const options = alternativesOf(schema) ?? [];
    const kind = kindOf(node);
    const fitting = options.filter((option) => accepts(option, kind) && hasDiscriminator(option, schema.key, node));
    if (node.kind === 'scalar' && fitting.length > 0) return node;
    if (fitting.length > 1 || (fitting.length === 0 && schema.key !== undefined)) return node;
    const chosen = fitting[0] ?? options.find((option) => accepts(option, 'string')) ?? options[0];
    return chosen === undefined ? node : await this.node(chosen, node, path);
  }

  async #mapping(schema: Schema, node: MappingNode, path: ConfigPath): Promise<ConfigNode> {
    const { entries = {}, rest, value } = schema;
    const prepared = new Map<string, ConfigNode>();
    for (const [key, child] of node.entries) {
      const inner = Object.hasOwn(entries, key) ? entries[key] : (rest ?? value);
      const isUnknown = inner === undefined && schema.type === 'strict_object' && !isAbsent(child);
      if (isUnknown) this.#onUnknownKey(child.place, [...path, key], Object.keys(entries));
      if (isUnknown) prepared.set(key, absent(child));
      else prepared.set(key, inner === undefined ? child : await this.node(inner, child, [...path, key]));
    }
    return { ...node, entries: prepared };
  }

  /** An empty item is not absent: the others would change their index. */
  async #sequence(schema: Schema, node: SequenceNode, path: ConfigPath): Promise<ConfigNode> {
    const { item } = schema;
    if (acceptsOnlyMappings(schema)) return { kind: 'scalar', place: node.place, value: '' };
    if (item === undefined) return node;
    const items: ConfigNode[] = [];
    for (const [index, child] of node.items.entries()) {
      const prepared = await this.node(item, child, [...path, index]);
      items.push(isAbsent(prepared) ? child : prepared);
    }
    return { ...node, items };
  }
}

/** Types of schemas that accept whatever they get; a custom check decides later. */
const OPEN_TYPES: ReadonlySet<string> = new Set(['unknown', 'any', 'custom', 'lazy']);
const NULLABLE_TYPES: ReadonlySet<string> = new Set(['nullable', 'nullish', 'null']);

/** An optional setting that is read from anything, such as a duration: null has no meaning there. */
function isOptionalUnknown({ type, wrapped }: Schema): boolean {
  return type === 'optional' && wrapped?.pipe?.[0]?.type === 'unknown';
}

function accepts({ type, wrapped, pipe, options, ...schema }: Schema, kind: ValueKind): boolean {
  if (OPEN_TYPES.has(type) || (kind === 'null' && NULLABLE_TYPES.has(type))) return true;
  const inner = pipe?.slice(0, 1) ?? (wrapped && [wrapped]) ?? alternativesOf({ type, options });
  if (inner !== undefined) return inner.some((one) => accepts(one, kind));
  return kind === leafKind({ type, ...schema });
}

function leafKind(schema: Schema): string {
  if (acceptsOnlyMappings(schema)) return 'mapping';
  if (schema.item !== undefined) return 'sequence';
  return schema.type === 'picklist' ? 'string' : schema.type;
}

function acceptsOnlyMappings({ entries, value }: Schema): boolean {
  return entries !== undefined || value !== undefined;
}

/** A union's options are schemas, a picklist's are values. */
function alternativesOf({ type, options }: Pick<Schema, 'type' | 'options'>): readonly Schema[] | undefined {
  return type === 'picklist' ? undefined : options;
}

function hasDiscriminator(option: Schema, key: unknown, node: ConfigNode): boolean {
  if (typeof key !== 'string' || node.kind !== 'mapping') return true;
  const { entries } = option.pipe?.[0] ?? option;
  const given = node.entries.get(key);
  const discriminator = entries?.[key];
  if (given === undefined || discriminator === undefined) return false;
  const values: readonly unknown[] =
    discriminator.type === 'picklist' ? (discriminator.options ?? []) : [discriminator.literal];
  return values.includes(toValue(given));
}

function kindOf(node: ConfigNode): ValueKind {
  if (node.kind !== 'scalar') return node.kind;
  if (node.value === null || node.value === undefined) return 'null';
  return typeof node.value as 'boolean' | 'number' | 'string';
}

/** Also if a variable is not set: the loader warns of it, and the default applies, as in the stock Collector. */
function isEmpty(node: ConfigNode): node is ScalarNode {
  return node.kind === 'scalar' && node.value === null;
}

function isAbsent(node: ConfigNode): boolean {
  return node.kind === 'scalar' && node.value === undefined;
}

function absent({ place, emptyVariables }: ConfigNode): ScalarNode {
  return { kind: 'scalar', place, value: undefined, emptyVariables };
}

function asText(node: ConfigNode): ConfigNode {
  const { place, text, emptyVariables } = node;
  if (node.kind === 'scalar' && typeof node.value === 'string') return node;
  if (text !== undefined) return { kind: 'scalar', place, value: text, emptyVariables };
  return isEmpty(node) ? absent(node) : node;
}

function withAbsoluteKeys(node: ConfigNode): ConfigNode {
  if (node.kind !== 'mapping') return node;
  const entries = [...node.entries].map(([key, child]) => {
    return [isModuleFile(key) ? pathOfModule(key, folderOf(child.place)) : key, child] as const;
  });
  return { ...node, entries: new Map(entries) };
}

/** A place without a line is an option of the command line, which means the working directory. */
function folderOf({ source, line }: Place): string {
  return line === undefined ? '.' : dirname(source);
}
