/** The parts of a valibot schema that have keys. */
interface SchemaParts {
  readonly kind?: string;
  readonly entries?: Readonly<Record<string, unknown>>;
  readonly wrapped?: unknown;
  readonly pipe?: readonly unknown[];
  readonly item?: unknown;
  readonly value?: unknown;
  readonly options?: readonly unknown[];
}

/** Every key of the schema at every depth, as paths; `*` is any item of a list or any free key. */
export function everyKey(schema: unknown): string[][] {
  const found: string[][] = [];
  collectKeys(schema, [], found);
  return found;
}

function collectKeys(schema: unknown, prefix: readonly string[], found: string[][]): void {
  for (const { entries = {}, item, value } of unwrap(schema)) {
    for (const [key, inner] of Object.entries(entries)) {
      found.push([...prefix, key]);
      collectKeys(inner, [...prefix, key], found);
    }
    for (const inner of [item, value]) if (inner !== undefined) collectKeys(inner, [...prefix, '*'], found);
  }
}

/** The schema without optional, pipes and the like around it. Each alternative of a union is one schema. */
function unwrap(schema: unknown): SchemaParts[] {
  if (typeof schema !== 'object' || schema === null) return [];
  const { kind, wrapped, pipe, options } = schema as SchemaParts;
  if (kind !== 'schema') return [];
  if (wrapped !== undefined) return unwrap(wrapped);
  if (pipe !== undefined) return pipe.flatMap(unwrap);
  if (options !== undefined) return options.flatMap(unwrap);
  return [schema];
}
