/** Reads rule files of Prometheus. */
import { ConfigError } from '../engine/config/config-error.ts';
import { childOf, type ConfigNode } from '../engine/config/config-node.ts';
import { parseYaml } from '../engine/config/parse-yaml.ts';
import { Budget } from '../promql/budget.ts';
import { durationMs } from '../promql/syntax/literal.ts';
import type { Expression } from '../promql/syntax/expression.ts';
import { parsePromql } from '../promql/syntax/parse-promql.ts';
import { valueTypeOf } from '../promql/syntax/value-type.ts';
import { readingsOf } from './reach.ts';
import { RuleError } from './rule-error.ts';
import { RuleProblems } from './rule-problems.ts';
import type { AlertingRule, RecordingRule, Rule, RuleGroup } from './rule.ts';
import { parseTemplate, type Template } from './template/template.ts';

export interface RuleFile {
  /** Its name in messages and answers. */
  readonly name: string;
  readonly text: string;
}

const GROUP_KEYS = ['name', 'interval', 'limit', 'rules'];
const ALERT_KEYS = ['alert', 'expr', 'for', 'keep_firing_for', 'labels', 'annotations'];
const RECORD_KEYS = ['record', 'expr', 'labels'];

/** Yields between rules. @throws ConfigError with all mistakes: file, line, group and rule. */
export function* parseRuleFile(
  { name, text }: RuleFile,
  defaultIntervalMs: number,
): Generator<undefined, readonly RuleGroup[]> {
  const root = parseYaml(name, text);
  const reader = new RuleFileReader({ file: name, defaultIntervalMs });
  const groups = yield* reader.groups(root);
  if (reader.problems.all.length > 0) throw new ConfigError(reader.problems.all);
  return groups;
}

class RuleFileReader {
  readonly problems = new RuleProblems();
  readonly #file: string;
  readonly #defaultIntervalMs: number;

  constructor({ file, defaultIntervalMs }: { readonly file: string; readonly defaultIntervalMs: number }) {
    this.#file = file;
    this.#defaultIntervalMs = defaultIntervalMs;
  }

  *groups(root: ConfigNode): Generator<undefined, readonly RuleGroup[]> {
    if (isAbsent(root) || !this.#isMapping(root, 'the file', ['groups'])) return [];
    const groups: RuleGroup[] = [];
    const names = new Set<string>();
    for (const node of this.#list(root, 'groups')) {
      const group = yield* this.#group(node);
      if (names.has(group.name)) this.problems.add(node, `two groups have the name ${group.name}`);
      names.add(group.name);
      groups.push(group);
    }
    return groups;
  }

  *#group(node: ConfigNode): Generator<undefined, RuleGroup> {
    const name = this.#text(node, 'name');
    if (node.kind === 'mapping' && name === '') this.problems.add(node, 'name is not set');
    const leave = this.problems.enter(`group ${name}`.trim());
    this.#isMapping(node, 'a group', GROUP_KEYS);
    const rules: Rule[] = [];
    for (const rule of this.#list(node, 'rules')) {
      rules.push(this.#rule(rule));
      yield;
    }
    const intervalMs = this.#duration(node, 'interval') || this.#defaultIntervalMs;
    const group = { name, file: this.#file, intervalMs, limit: this.#limit(node), rules };
    leave();
    return group;
  }

  #limit(group: ConfigNode): number {
    const node = childOf(group, 'limit');
    if (isAbsent(node)) return 0;
    const limit = node.kind === 'scalar' ? node.value : undefined;
    if (Number.isSafeInteger(limit) && (limit as number) >= 0) return limit as number;
    this.problems.add(node, 'limit must be a whole number');
    return 0;
  }

  #rule(node: ConfigNode): Rule {
    const isRecording = !isAbsent(childOf(node, 'record'));
    const kind = isRecording ? 'record' : 'alert';
    const name = this.#text(node, kind);
    if (node.kind === 'mapping' && name === '') this.problems.add(node, `${kind} is not set`);
    const leave = this.problems.enter(`${kind} ${name}`.trim());
    this.#isMapping(node, 'a rule', isRecording ? RECORD_KEYS : ALERT_KEYS);
    const rule = isRecording ? this.#recordingRule(node, name) : this.#alertingRule(node, name);
    leave();
    return rule;
  }

  #recordingRule(node: ConfigNode, name: string): RecordingRule {
    if (name !== '' && !/^[A-Za-z_:][\w:]*$/.test(name))
      this.problems.add(node, 'this is not the name of a metric: only letters, digits, _ and : are allowed');
    const labels = [...this.#labels(node)].map(([label, { text }]) => [label, text] as const);
    return { kind: 'recording', name, ...this.#expression(node), labels: new Map(labels) };
  }

  #alertingRule(node: ConfigNode, name: string): AlertingRule {
    return {
      kind: 'alerting',
      name,
      ...this.#expression(node),
      holdMs: this.#duration(node, 'for'),
      keepFiringMs: this.#duration(node, 'keep_firing_for'),
      labels: this.#templates(this.#labels(node), 'label'),
      annotations: this.#templates(this.#texts(node, 'annotations'), 'annotation'),
    };
  }

  #labels(rule: ConfigNode): ReadonlyMap<string, PlacedText> {
    const labels = this.#texts(rule, 'labels');
    for (const [label, { at }] of labels) this.problems.attempt(at, 'labels', () => checkLabelName(label));
    return labels;
  }

  /** The expression is a number if it has a mistake. */
  #expression(rule: ConfigNode): Pick<Rule, 'query' | 'expression' | 'reachMs'> {
    const query = this.#text(rule, 'expr');
    if (rule.kind === 'mapping' && query === '') this.problems.add(rule, 'expr is not set');
    const at = childOf(rule, 'expr') ?? rule;
    const read = query === '' ? undefined : this.problems.attempt(at, 'expr', () => expressionOf(query));
    const expression = read ?? NOTHING;
    const reachMs = Math.max(0, ...readingsOf(expression).map((reading) => reading.reachMs));
    return { query, expression, reachMs };
  }

  #templates(texts: ReadonlyMap<string, PlacedText>, what: string): ReadonlyMap<string, Template> {
    const templates = new Map<string, Template>();
    for (const [name, { text, at }] of texts) {
      const template = this.problems.attempt(at, `${what} ${name}`, () => parseTemplate(text));
      if (template !== undefined) templates.set(name, template);
    }
    return templates;
  }

  #duration(parent: ConfigNode, key: string): number {
    const node = childOf(parent, key);
    if (isAbsent(node) || (node.kind === 'scalar' && node.value === 0)) return 0;
    const value = node.kind === 'scalar' ? node.value : undefined;
    const ms = typeof value === 'string' ? durationMs(value) : undefined;
    if (ms === undefined) this.problems.add(node, `${key} must be a duration such as 90s, 5m or 1h`);
    return ms ?? 0;
  }

  #texts(parent: ConfigNode, key: string): ReadonlyMap<string, PlacedText> {
    const node = childOf(parent, key);
    if (isAbsent(node) || !this.#isMapping(node, key)) return new Map();
    return new Map(
      [...node.entries].map(([name, at]) => [name, { at, text: this.#plain(at, `${key}: ${name}`) }] as const),
    );
  }

  /** Empty if it is not set. */
  #text(parent: ConfigNode, key: string): string {
    const node = childOf(parent, key);
    return isAbsent(node) ? '' : this.#plain(node, key);
  }

  /** A number is an expression too. */
  #plain(node: ConfigNode, what: string): string {
    if (node.kind === 'scalar' && node.value !== null && node.value !== undefined) return String(node.value);
    this.problems.add(node, `${what} must be a text`);
    return '';
  }

  #isMapping(node: ConfigNode, what: string, keys?: readonly string[]): node is ConfigNode & { kind: 'mapping' } {
    if (node.kind !== 'mapping') this.problems.add(node, `${what} must be a mapping`);
    else if (keys !== undefined) this.problems.addUnknownKeys(node, keys);
    return node.kind === 'mapping';
  }

  #list(parent: ConfigNode, key: string): readonly ConfigNode[] {
    const node = childOf(parent, key);
    if (isAbsent(node)) return [];
    if (node.kind !== 'sequence') this.problems.add(node, `${key} must be a list`);
    return node.kind === 'sequence' ? node.items : [];
  }
}

const NOTHING: Expression = { kind: 'number', from: 0, value: 0 };

interface PlacedText {
  readonly text: string;
  readonly at: ConfigNode;
}

function isAbsent(node: ConfigNode | undefined): node is undefined {
  return node === undefined || (node.kind === 'scalar' && (node.value === null || node.value === undefined));
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

function checkLabelName(name: string): void {
  if (!/^[A-Za-z_]\w*$/.test(name) || name === '__name__') throw new RuleError(`${name} cannot be a label`);
}
