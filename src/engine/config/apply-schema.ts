import * as v from 'valibot';
import type { ConfigSchema } from '../component.ts';
import type { ProblemList } from './config-error.ts';
import { nearestNode, toValue, type ConfigNode, type ConfigPath, type EmptyVariable } from './config-node.ts';
import { suggest } from './nearest-name.ts';
import { prepare } from './prepare.ts';

/** The part of the configuration that a schema is for. */
export interface Section {
  /** Undefined if the configuration does not contain it. */
  readonly node: ConfigNode | undefined;
  readonly path: ConfigPath;
  /** Where a missing part is reported. */
  readonly parent: ConfigNode;
}

/**
 * The value that the schema makes of the section; undefined if it has a problem. Every problem is reported. An unknown
 * key does not prevent the rest from being read.
 */
export async function applySchema<T>(
  schema: ConfigSchema<T>,
  section: Section,
  problems: ProblemList,
): Promise<T | undefined> {
  const misspelt = new Set<string>();
  const node =
    section.node &&
    (await prepare(schema, section.node, (place, path, allowed) => {
      misspelt.add(path.slice(0, -1).join('::'));
      problems.add({ place }, [...section.path, ...path], unknownKeyMessage(String(path.at(-1)), allowed));
    }));
  const result = await v.safeParseAsync(schema, node && toValue(node));
  if (result.success) return result.output;
  for (const issue of result.issues) {
    const path = pathOf(issue);
    // A check of a mapping may fail only because one of its keys is misspelt.
    if (issue.kind === 'validation' && misspelt.has(path.join('::'))) continue;
    const at = nearestNode(node ?? section.parent, path);
    const message = isMissing(issue) && at.emptyVariables ? 'must be set' : messageOf(issue);
    const { place, emptyVariables = [] } = at;
    problems.add(
      { place, emptyVariables: [...emptyVariables, ...emptyVariablesNamedBy(message, at)] },
      [...section.path, ...path],
      message,
    );
  }
  return undefined;
}

/** The empty variables of the keys that a check over several keys names. */
function emptyVariablesNamedBy(message: string, node: ConfigNode): readonly EmptyVariable[] {
  if (node.kind !== 'mapping') return [];
  const words = new Set(message.match(/\w+/g));
  return [...node.entries].flatMap(([key, child]) => (words.has(key) ? (child.emptyVariables ?? []) : []));
}

function pathOf(issue: v.BaseIssue<unknown>): (string | number)[] {
  return (issue.path ?? []).map(({ key }) => (typeof key === 'number' ? key : String(key)));
}

export function unknownKeyMessage(name: string, allowed: readonly string[]): string {
  if (allowed.length === 0) return 'is an unknown key: no keys are allowed here';
  return `is an unknown key${suggest(name, allowed)}; allowed: ${allowed.join(', ')}`;
}

/** Valibot's own messages quote the value, which may be a secret. These do not. */
function messageOf(issue: v.BaseIssue<unknown>): string {
  if (issue.type === 'strict_object' && issue.expected === 'never') return 'is an unknown key';
  if (!issue.message.startsWith('Invalid ')) return issue.message;
  if (isMissing(issue)) return 'is missing, but must be set';
  if (issue.expected === null) return 'is not valid';
  return `must be ${describe(issue.expected)}`;
}

function isMissing({ received, type }: v.BaseIssue<unknown>): boolean {
  return received === 'undefined' && type.endsWith('object');
}

function describe(expected: string): string {
  const names: Readonly<Record<string, string>> = {
    string: 'text',
    number: 'a number',
    boolean: 'true or false',
    Object: 'a mapping',
    Array: 'a list',
    null: 'empty',
  };
  // A variant of literals and picklists nests its groups of alternatives.
  const alternatives = expected.match(/"(?:[^"\\]|\\.)*"|[^()|\s]+/g) ?? [];
  const words = [...new Set(alternatives.map((name) => names[name] ?? name.replace(/^"(.+)"$/, '$1')))];
  return words.length === 1 ? words.join('') : `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`;
}
