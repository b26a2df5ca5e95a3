import type { GenericSchema } from 'valibot';
import type { ConfigPath } from '../config/config-node.ts';

/** The parts that schemas of valibot are made of, as far as keys are concerned. */
interface SchemaParts {
  readonly kind?: string;
  readonly entries?: Readonly<Record<string, GenericSchema>>;
  readonly wrapped?: GenericSchema;
  readonly pipe?: readonly unknown[];
  readonly item?: GenericSchema;
  readonly value?: GenericSchema;
  readonly options?: readonly unknown[];
}

/** The keys that a strict schema allows at the path. Empty where it does not say. */
export function keysAt(schema: GenericSchema, path: ConfigPath): string[] {
  return [...new Set(partsAt(schema, path).flatMap(({ entries }) => Object.keys(entries ?? {})))];
}

/** Whether the schema takes only a mapping at the path. Valibot itself takes a list for one. */
export function wantsMapping(schema: GenericSchema, path: ConfigPath): boolean {
  const here = partsAt(schema, path);
  return here.length > 0 && here.every(({ entries, value }) => entries !== undefined || value !== undefined);
}

function partsAt(schema: GenericSchema, path: ConfigPath): readonly SchemaParts[] {
  return path.reduce<readonly SchemaParts[]>(
    (found, key) => found.flatMap((part) => childrenOf(part, key)),
    unwrap(schema),
  );
}

/** Every key of the schema at every depth, as paths; `*` stands for the items of lists and for free keys. */
export function everyKey(schema: GenericSchema): string[][] {
  const found: string[][] = [];
  collectKeys(schema, [], found);
  return found;
}

function collectKeys(schema: GenericSchema, prefix: readonly string[], found: string[][]): void {
  for (const { entries = {}, item, value } of unwrap(schema)) {
    for (const [key, inner] of Object.entries(entries)) {
      found.push([...prefix, key]);
      collectKeys(inner, [...prefix, key], found);
    }
    for (const inner of [item, value]) if (inner !== undefined) collectKeys(inner, [...prefix, '*'], found);
  }
}

/** The schema without what stands around it (optional, pipes), and each alternative of a union. */
function unwrap(schema: unknown): SchemaParts[] {
  if (typeof schema !== 'object' || schema === null) return [];
  const { kind, wrapped, pipe, options } = schema as SchemaParts;
  if (kind !== 'schema') return [];
  if (wrapped !== undefined) return unwrap(wrapped);
  if (pipe !== undefined) return pipe.flatMap(unwrap);
  if (options !== undefined) return options.flatMap(unwrap);
  return [schema];
}

function childrenOf({ entries, item, value }: SchemaParts, key: string | number): SchemaParts[] {
  const named = entries !== undefined && Object.hasOwn(entries, key) ? entries[key] : undefined;
  return [named, item, value].flatMap(unwrap);
}
