import * as v from 'valibot';
import type { BudgetedLabel } from '../../../../metrics/metric.ts';
import { quoteIdentifier, quoteTable } from '../../../../postgres/identifier.ts';
import type { Row } from '../query.ts';

/** A label of a user's query: the text in a column, or in a column of the row that it refers to, or always the same. */
export interface UserLabel {
  readonly name: string;
  /** A column of the table, or of the answer. Undefined: the label is constant. */
  readonly column?: string | undefined;
  /** The table with the text, and its column that equals `column`. */
  readonly lookup?: Lookup | undefined;
  readonly constant?: string | undefined;
}

export interface Lookup {
  /** `schema.table` */
  readonly table: string;
  readonly key: string;
  readonly column: string;
}

const MAX_LENGTH = 128;

const text = v.pipe(v.string(), v.nonEmpty('must not be empty'), v.maxBytes(MAX_LENGTH, `must have at most ${MAX_LENGTH} bytes`)); // prettier-ignore
const column = v.pipe(text, v.maxBytes(63, 'must be the name of a column: at most 63 bytes'), v.check((name) => !name.includes('\0'), 'must be the name of a column')); // prettier-ignore
const labelName = v.pipe(v.string(), v.regex(/^[a-zA-Z_][a-zA-Z0-9_.]*$/, 'must be the name of a label: letters, digits, _ and .')); // prettier-ignore

const described = v.pipe(
  v.strictObject({
    name: labelName,
    column: v.optional(column),
    lookup: v.optional(
      v.strictObject({
        table: v.pipe(v.string(), v.regex(/^[^.]+\.[^.]+$/, 'must be schema.table, spelled as in pg_class')),
        key: v.optional(column, 'id'),
        column,
      }),
    ),
    value: v.optional(text),
  }),
  v.check(({ column: from, value }) => (from === undefined) !== (value === undefined), 'set column, or value for a label that is always the same'), // prettier-ignore
  v.check(({ lookup, value }) => lookup === undefined || value === undefined, 'a lookup needs column'),
  v.transform(({ value: constant, ...label }): UserLabel => ({ ...label, constant })),
);

const plain = v.pipe(
  column,
  v.transform((name): UserLabel => ({ name, column: name })),
);

/** A column, whose name is that of the label, or an object. */
const label: v.GenericSchema<unknown, UserLabel> = v.lazy((input) => (typeof input === 'string' ? plain : described));

/** The labels of a query. Their names differ on a scrape page too. */
export function userLabels(): v.GenericSchema<unknown, readonly UserLabel[]> {
  return v.pipe(
    v.array(label),
    v.rawCheck<UserLabel[]>(({ dataset, addIssue }) => {
      if (!dataset.typed) return;
      const first = new Map<string, string>();
      for (const [index, { name }] of dataset.value.entries()) {
        const earlier = first.get(pageName(name));
        if (earlier === undefined) first.set(pageName(name), name);
        else
          addIssue({
            message: `is the same label as ${earlier} in Prometheus`,
            path: [{ type: 'array', origin: 'value', input: [...dataset.value], key: index, value: name }],
          });
      }
    }),
  );
}

function pageName(name: string): string {
  return name.replaceAll(/[^a-zA-Z0-9_]/g, '_');
}

/** The columns of the table, or of the answer, that the labels need. */
export function labelColumns(labels: readonly UserLabel[]): string[] {
  return labels.flatMap(({ column: from }) => (from === undefined ? [] : [from]));
}

export function lookupsOf(labels: readonly UserLabel[]): Lookup[] {
  return labels.flatMap(({ lookup }) => lookup ?? []);
}

/** The select list with the text of each label that is not constant, from the row `entry`. */
export function labelSql(labels: readonly UserLabel[]): string[] {
  return labels.flatMap(({ name, column: from, lookup }) => {
    if (from === undefined) return [];
    const entered = `entry.${quoteIdentifier(from)}`;
    if (!lookup) return [`${entered} as ${quoteIdentifier(name)}`];
    const found = `(select siphon_found.${quoteIdentifier(lookup.column)} from ${quoteTable(lookup.table)} siphon_found where siphon_found.${quoteIdentifier(lookup.key)} = ${entered})`;
    return [`${found} as ${quoteIdentifier(name)}`];
  });
}

/** The labels as the configuration writes the simple ones. */
export function writtenLabels(labels: readonly UserLabel[]): (string | UserLabel)[] {
  return labels.map((one) => (one.name === one.column && !one.lookup ? one.name : one));
}

/** A row of an answer, with the labels under their names. */
export function labelled(labels: readonly UserLabel[], row: Row): Row {
  return Object.fromEntries(
    labels.flatMap(({ name, column: from }) => (from === undefined ? [] : [[name, row[from]]])),
  );
}

export function describedLabels(
  labels: readonly UserLabel[],
  maxValues: number,
): Readonly<Record<string, BudgetedLabel>> {
  return Object.fromEntries(
    labels.map(({ name, constant }) => [name, { maxValues, description: '', ...(constant === undefined ? {} : { constant }) }]),
  ); // prettier-ignore
}
