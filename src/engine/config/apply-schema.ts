import * as v from 'valibot';
import type { ConfigSchema } from '../component.ts';
import type { ProblemList } from '../schema/config-error.ts';
import { childOf, nearestNode, toValue, type ConfigNode, type ConfigPath } from './config-node.ts';
import { suggest } from './nearest-name.ts';
import { keysAt, wantsMapping } from '../schema/schema-keys.ts';

/** The part of the configuration that a schema is for. */
export interface Section {
  /** Undefined if the configuration does not have it. */
  readonly node: ConfigNode | undefined;
  readonly path: ConfigPath;
  /** Where a missing part is reported. */
  readonly parent: ConfigNode;
}

/**
 * The value that the schema makes of the section; undefined if it can make none. Every problem is reported;
 * an unknown key is one that does not keep the rest from being read.
 *
 * The schema sees values read as YAML. Where it wants text and the value came out of `${…}`, it gets the text
 * as it was, so that a password of digits stays one. A key written without a value (`timeout:`) takes its
 * default, as in the Collector, unless the schema gives null a meaning of its own.
 */
export function applySchema<T>(schema: ConfigSchema<T>, section: Section, problems: ProblemList): T | undefined {
  const root = section.node ?? section.parent;
  const lists = section.node === undefined ? [] : listsForMappings(schema, section.node, []);
  for (const path of lists)
    problems.add(nearestNode(root, path).place, [...section.path, ...path], 'must be a mapping');
  if (lists.length > 0) return undefined;
  let node = section.node;
  for (;;) {
    const result = v.safeParse(schema, node === undefined ? undefined : toValue(node));
    if (result.success) return result.output;
    const issues = result.issues.flatMap((issue) => withAlternatives(issue, []));
    const repaired = node && repair(node, issues, (path) => reportUnknownKeys(schema, root, path));
    if (repaired === node) {
      for (const issue of result.issues) report(schema, issue);
      return undefined;
    }
    node = repaired;
  }

  function reportUnknownKeys(of: ConfigSchema<T>, within: ConfigNode, path: ConfigPath): void {
    const name = String(path.at(-1));
    const allowed = keysAt(of, path.slice(0, -1));
    problems.add(nearestNode(within, path).place, [...section.path, ...path], unknownKeyMessage(name, allowed));
  }

  function report(of: ConfigSchema<T>, issue: v.BaseIssue<unknown>): void {
    const path = pathOf(issue);
    const at = nearestNode(root, path);
    problems.add(at.place, [...section.path, ...path], messageOf(of, issue, path) + unsetNote(at));
  }
}

/** Where a list stands though the schema takes a mapping. */
function listsForMappings(schema: ConfigSchema<unknown>, node: ConfigNode, path: ConfigPath): ConfigPath[] {
  if (node.kind === 'scalar') return [];
  if (node.kind === 'sequence' && wantsMapping(schema, path)) return [path];
  const children = node.kind === 'mapping' ? node.entries.entries() : node.items.entries();
  return [...children].flatMap(([key, child]) => listsForMappings(schema, child, [...path, key]));
}

interface LocatedIssue {
  readonly path: ConfigPath;
  readonly issue: v.BaseIssue<unknown>;
}

/** The issue, and those of the alternatives of a union inside it. */
function withAlternatives(issue: v.BaseIssue<unknown>, prefix: ConfigPath): LocatedIssue[] {
  const path = [...prefix, ...pathOf(issue)];
  const nested = issue.type === 'union' ? (issue.issues ?? []) : [];
  return [{ path, issue }, ...nested.flatMap((inner) => withAlternatives(inner, path))];
}

/**
 * Without the unknown keys, which are reported once, without keys that have no value, and with texts where text
 * is wanted. The same node if there is nothing to repair; undefined if it has no value itself.
 */
function repair(
  root: ConfigNode,
  issues: readonly LocatedIssue[],
  onUnknownKey: (path: ConfigPath) => void,
): ConfigNode | undefined {
  if (isEmpty(root)) return undefined;
  let repaired = root;
  for (const { path, issue } of issues) {
    if (isUnknownKey(issue) && path.length === pathOf(issue).length) {
      repaired = withoutUnknownKeys(repaired, path, onUnknownKey);
    } else if (issue.kind === 'schema' && issue.expected === 'string') {
      repaired = replaceAt(repaired, path, asText);
    }
    repaired = replaceAt(repaired, path, (node) => (isEmpty(node) ? undefined : node));
  }
  return repaired;
}

function withoutUnknownKeys(root: ConfigNode, path: ConfigPath, onUnknownKey: (path: ConfigPath) => void): ConfigNode {
  onUnknownKey(path);
  return replaceAt(root, path, () => undefined);
}

/** Not where a variable is unset: there a value was meant, and a default in its place would hide that. */
function isEmpty(node: ConfigNode): boolean {
  return node.kind === 'scalar' && node.value === null && node.unsetVariables === undefined;
}

function asText(node: ConfigNode): ConfigNode {
  if (node.text === undefined || (node.kind === 'scalar' && typeof node.value === 'string')) return node;
  const { place, text, unsetVariables } = node;
  return { kind: 'scalar', place, value: text, unsetVariables };
}

/** A copy in which `change` was applied at the path; undefined takes the value out. */
function replaceAt(
  node: ConfigNode,
  path: ConfigPath,
  change: (node: ConfigNode) => ConfigNode | undefined,
): ConfigNode {
  const [key, ...rest] = path;
  if (key === undefined) return change(node) ?? node;
  const child = childOf(node, key);
  if (child === undefined) return node;
  const changed = rest.length === 0 ? change(child) : replaceAt(child, rest, change);
  if (changed === child) return node;
  if (node.kind === 'sequence' && changed !== undefined)
    return { ...node, items: node.items.with(Number(key), changed) };
  if (node.kind !== 'mapping') return node;
  const entries = new Map(node.entries);
  if (changed === undefined) entries.delete(String(key));
  else entries.set(String(key), changed);
  return { ...node, entries };
}

function pathOf(issue: v.BaseIssue<unknown>): (string | number)[] {
  return (issue.path ?? []).map(({ key }) => (typeof key === 'number' ? key : String(key)));
}

function isUnknownKey(issue: v.BaseIssue<unknown>): boolean {
  return issue.type === 'strict_object' && issue.expected === 'never';
}

export function unknownKeyMessage(name: string, allowed: readonly string[]): string {
  if (allowed.length === 0) return 'is an unknown key: none is allowed here';
  return `is an unknown key${suggest(name, allowed)}; allowed: ${allowed.join(', ')}`;
}

/** Valibot's own messages quote what they got, which may be a secret; these do not. */
function messageOf(schema: ConfigSchema<unknown>, issue: v.BaseIssue<unknown>, path: ConfigPath): string {
  if (isUnknownKey(issue)) return unknownKeyMessage(String(path.at(-1)), keysAt(schema, path.slice(0, -1)));
  if (!issue.message.startsWith('Invalid ')) return issue.message;
  if (issue.received === 'undefined' && issue.type.endsWith('object')) return 'is missing, but must be set';
  if (issue.expected === null) return 'is not valid';
  return `must be ${describe(issue.expected)}`;
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
  const alternatives = expected.replace(/^\((.*)\)$/, '$1').split(' | ');
  const words = alternatives.map((name) => names[name] ?? name.replace(/^"(.+)"$/, '$1'));
  return words.length === 1 ? words.join('') : `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`;
}

function unsetNote(node: ConfigNode): string {
  const variables = node.unsetVariables ?? [];
  return variables.length === 0 ? '' : ` (the environment variable ${variables.join(', ')} is not set)`;
}
