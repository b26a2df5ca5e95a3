import { Pattern } from '../../pattern/pattern.ts';
import { SERIES_STEPS, type Budget, type Steps } from '../budget.ts';
import { drop, METRIC_NAME, NO_LABELS, withLabel, type Labels } from '../labels.ts';
import { PromqlError } from '../promql-error.ts';
import type { Call, Expression, StringLiteral } from '../syntax/expression.ts';
import { joined, type StepSeries, type Vector } from './vector.ts';

/** A match copies the places of all groups. */
const MAX_GROUPS = 100;

const LABEL = /^[A-Za-z_]\w*$/;

/** `label_replace(vector, target, template, source, pattern)` */
export function* replaceLabel(vector: Vector, call: Call, budget: Budget): Steps<Vector> {
  const [target, template, source, text] = textsOf(call) as [string, string, string, string];
  checkLabel(target, call);
  const pattern = patternOf(text, call);
  const changed: StepSeries[] = [];
  const known = new Map<string, string | undefined>();
  for (const series of vector) {
    const before = series.labels.get(source) ?? '';
    if (known.has(before)) budget.label(known.get(before)?.length ?? 0);
    else known.set(before, yield* expanded(pattern, before, template, budget));
    const value = known.get(before);
    changed.push(value === undefined ? series : { ...series, labels: withLabel(series.labels, target, value) });
    if (budget.spend(SERIES_STEPS)) yield;
  }
  return yield* joined(changed, budget);
}

/** The template with `$1` and `${name}` replaced by groups of the text; undefined if the pattern does not fit. */
function* expanded(pattern: Pattern, text: string, template: string, budget: Budget): Steps<string | undefined> {
  const groups = yield* pattern.groupsOf(text, budget);
  if (groups === undefined) return undefined;
  const textOf = (whole: string, bare: string | undefined, braced = ''): string =>
    whole === '$$' ? '$' : (groups.get(numberOrName(bare ?? braced)) ?? '');
  let length = template.length;
  for (const [whole, bare, braced] of template.matchAll(REFERENCE)) {
    length += textOf(whole, bare, braced).length - whole.length;
  }
  budget.label(length);
  return template.replaceAll(REFERENCE, textOf);
}

const REFERENCE = /\$(?:\$|(\w+)|\{(\w+)\})/g;

/** `01` is 1. */
function numberOrName(reference: string): string {
  return /^\d+$/.test(reference) ? `${Number(reference)}` : reference;
}

/** `label_join(vector, target, separator, source…)` */
export function* joinLabels(vector: Vector, call: Call, budget: Budget): Steps<Vector> {
  const [target, separator, ...sources] = textsOf(call) as [string, string, ...string[]];
  for (const label of [target, ...sources]) checkLabel(label, call);
  const changed: StepSeries[] = [];
  for (const series of vector) {
    const values = sources.map((label) => series.labels.get(label) ?? '');
    const separators = separator.length * Math.max(0, values.length - 1);
    budget.label(values.reduce((length, value) => length + value.length, separators));
    changed.push({ ...series, labels: withLabel(series.labels, target, values.join(separator)) });
    if (budget.spend(SERIES_STEPS + sources.length)) yield;
  }
  return yield* joined(changed, budget);
}

function textsOf({ args }: Call): string[] {
  return args.slice(1).map((argument) => (argument as StringLiteral).text);
}

function checkLabel(name: string, { from }: Call): void {
  if (!LABEL.test(name)) throw PromqlError.at(from, `${name} is not the name of a label`);
}

function patternOf(text: string, { from }: Call): Pattern {
  try {
    const pattern = new Pattern(text);
    if (pattern.groups > MAX_GROUPS) throw new Error(`the pattern has more than ${MAX_GROUPS} groups`);
    return pattern;
  } catch (error) {
    throw PromqlError.at(from, (error as Error).message);
  }
}

/** The labels of an absent series: those that its selector names with a single equality. */
export function labelsOfAbsent(argument: Expression): Labels {
  const selector = argument.kind === 'range' ? argument.of : argument;
  if (selector.kind !== 'selector') return NO_LABELS;
  const named = new Set<string>();
  let labels = NO_LABELS;
  for (const { label, operator, text } of selector.matchers) {
    if (label === METRIC_NAME) continue;
    if (operator === '=' && !named.has(label)) {
      labels = withLabel(labels, label, text);
      named.add(label);
    } else labels = drop(labels, new Set([label]));
  }
  return labels;
}
