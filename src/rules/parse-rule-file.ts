/** Reads rule files of Prometheus. */
import { load, YAMLException } from 'js-yaml';
import { Budget } from '../promql/budget.ts';
import { PromqlError } from '../promql/promql-error.ts';
import type { Expression } from '../promql/syntax/expression.ts';
import { durationMs } from '../promql/syntax/literal.ts';
import { parsePromql } from '../promql/syntax/parse-promql.ts';
import { valueTypeOf } from '../promql/syntax/value-type.ts';
import { readingsOf } from './reach.ts';
import { RuleError } from './rule-error.ts';
import type { Rule, RuleGroup } from './rule.ts';
import { parseTemplate, type Template } from './template/template.ts';

export interface RuleFile {
  /** Its name in messages and answers. */
  readonly name: string;
  readonly text: string;
}

const GROUP_KEYS = ['name', 'interval', 'limit', 'rules'];
const ALERT_KEYS = ['alert', 'expr', 'for', 'keep_firing_for', 'labels', 'annotations'];
const RECORD_KEYS = ['record', 'expr', 'labels'];

/** Yields between rules. @throws RuleError that names the file, the group and the rule. */
export function* parseRuleFile(
  { name, text }: RuleFile,
  defaultIntervalMs: number,
): Generator<undefined, readonly RuleGroup[]> {
  return yield* within(name, function* () {
    const file = mapping(parseYaml(text) ?? {}, 'the file');
    checkKeys(file, ['groups']);
    const groups: RuleGroup[] = [];
    for (const value of list(file['groups'], 'groups')) {
      groups.push(yield* groupOf(value, { file: name, defaultIntervalMs }));
    }
    const names = groups.map((group) => group.name);
    const twice = names.find((one, index) => names.indexOf(one) !== index);
    if (twice !== undefined) throw new RuleError(`two groups have the name ${twice}`);
    return groups;
  });
}

function* groupOf(
  value: unknown,
  { file, defaultIntervalMs }: { readonly file: string; readonly defaultIntervalMs: number },
): Generator<undefined, RuleGroup> {
  const group = mapping(value, 'a group');
  const name = requiredText(group, 'name');
  return yield* within(`group ${name}`, function* () {
    checkKeys(group, GROUP_KEYS);
    const { limit = 0 } = group;
    if (!Number.isSafeInteger(limit) || (limit as number) < 0) throw new RuleError('limit must be a whole number');
    const intervalMs = durationOf(group, 'interval') || defaultIntervalMs;
    const rules: Rule[] = [];
    for (const rule of list(group['rules'], 'rules')) {
      rules.push(ruleOf(rule));
      yield;
    }
    return { name, file, intervalMs, limit: limit as number, rules };
  });
}

function ruleOf(value: unknown): Rule {
  const rule = mapping(value, 'a rule');
  const isRecording = rule['record'] !== undefined;
  const name = requiredText(rule, isRecording ? 'record' : 'alert');
  return inPlace(`${isRecording ? 'record' : 'alert'} ${name}`, () => {
    checkKeys(rule, isRecording ? RECORD_KEYS : ALERT_KEYS);
    const query = requiredText(rule, 'expr');
    const expression = inPlace('expr', () => expressionOf(query));
    const reachMs = Math.max(0, ...readingsOf(expression).map((reading) => reading.reachMs));
    const labels = textsOf(rule, 'labels');
    for (const label of labels.keys()) checkLabelName(label);
    if (isRecording) {
      if (!/^[A-Za-z_:][\w:]*$/.test(name)) throw new RuleError('this is not the name of a metric');
      return { kind: 'recording', name, query, expression, reachMs, labels };
    }
    return {
      kind: 'alerting',
      name,
      query,
      expression,
      reachMs,
      holdMs: durationOf(rule, 'for'),
      keepFiringMs: durationOf(rule, 'keep_firing_for'),
      labels: templatesOf(labels, 'label'),
      annotations: templatesOf(textsOf(rule, 'annotations'), 'annotation'),
    };
  });
}

const TIMEOUT_MS = 1000;

function expressionOf(query: string): Expression {
  const steps = parsePromql(query, new Budget({ maxSamples: 0, maxSeries: 0, timeoutMs: TIMEOUT_MS }));
  let step = steps.next();
  while (step.done !== true) step = steps.next();
  const type = valueTypeOf(step.value);
  if (type === 'string' || type === 'matrix') throw new RuleError('a rule needs a number or an instant vector');
  return step.value;
}

function templatesOf(texts: ReadonlyMap<string, string>, what: string): ReadonlyMap<string, Template> {
  return new Map([...texts].map(([name, text]) => [name, inPlace(`${what} ${name}`, () => parseTemplate(text))]));
}

function checkLabelName(name: string): void {
  if (!/^[A-Za-z_]\w*$/.test(name) || name === '__name__') throw new RuleError(`${name} cannot be a label`);
}

function durationOf(given: Readonly<Record<string, unknown>>, key: string): number {
  const { [key]: value } = given;
  if (value === undefined || value === 0) return 0;
  const ms = typeof value === 'string' ? durationMs(value) : undefined;
  if (ms === undefined) throw new RuleError(`${key} must be a duration such as 90s, 5m or 1h`);
  return ms;
}

function textsOf(given: Readonly<Record<string, unknown>>, key: string): ReadonlyMap<string, string> {
  const entries = Object.entries(mapping(given[key] ?? {}, key));
  return new Map(
    entries.map(([name, text]) => {
      return [name, plainText(text, `${key}: ${name}`)];
    }),
  );
}

function requiredText(given: Readonly<Record<string, unknown>>, key: string): string {
  const { [key]: value } = given;
  if (value === undefined || value === null || value === '') throw new RuleError(`${key} is not set`);
  return plainText(value, key);
}

/** A number is an expression too. */
function plainText(value: unknown, what: string): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  throw new RuleError(`${what} must be a text`);
}

function mapping(value: unknown, what: string): Readonly<Record<string, unknown>> {
  if (value !== null && typeof value === 'object' && !Array.isArray(value)) return value as Record<string, unknown>;
  throw new RuleError(`${what} must be a mapping`);
}

function list(value: unknown, what: string): readonly unknown[] {
  if (value === undefined || value === null) return [];
  if (Array.isArray(value)) return value;
  throw new RuleError(`${what} must be a list`);
}

function checkKeys(given: Readonly<Record<string, unknown>>, known: readonly string[]): void {
  const unknown = Object.keys(given).find((key) => !known.includes(key));
  if (unknown !== undefined) throw new RuleError(`${unknown} is not supported here; known are ${known.join(', ')}`);
}

function parseYaml(text: string): unknown {
  try {
    return load(text);
  } catch (error) {
    if (!(error instanceof YAMLException)) throw error;
    throw new RuleError(`it is not valid YAML: ${error.reason}`, { cause: error });
  }
}

/** Adds where it is to a problem. */
function* within<T>(where: string, steps: () => Generator<undefined, T>): Generator<undefined, T> {
  try {
    return yield* steps();
  } catch (error) {
    throw placed(where, error);
  }
}

function inPlace<T>(where: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw placed(where, error);
  }
}

function placed(where: string, error: unknown): unknown {
  if (!(error instanceof RuleError) && !(error instanceof PromqlError)) return error;
  return new RuleError(`${where}: ${error.message}`, { cause: error });
}
