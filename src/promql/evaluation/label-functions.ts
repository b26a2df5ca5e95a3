import { drop, METRIC_NAME, NO_LABELS, withLabel, type Labels } from '../labels.ts';
import { Pattern } from '../pattern/pattern.ts';
import { PromqlError } from '../promql-error.ts';
import type { Call, Expression, StringLiteral } from '../syntax/expression.ts';
import { joined, type Vector } from './vector.ts';

const LABEL = /^[A-Za-z_]\w*$/;

/** `label_replace(vector, target, template, source, pattern)` */
export function replaceLabel(vector: Vector, call: Call): Vector {
  const [target, template, source, text] = textsOf(call) as [string, string, string, string];
  checkLabel(target, call);
  const pattern = patternOf(text, call);
  const changed = vector.map((series) => {
    const value = pattern.expand(series.labels.get(source) ?? '', template);
    return value === undefined ? series : { ...series, labels: withLabel(series.labels, target, value) };
  });
  return joined(changed);
}

/** `label_join(vector, target, separator, source…)` */
export function joinLabels(vector: Vector, call: Call): Vector {
  const [target, separator, ...sources] = textsOf(call) as [string, string, ...string[]];
  for (const label of [target, ...sources]) checkLabel(label, call);
  const changed = vector.map((series) => {
    const value = sources.map((label) => series.labels.get(label) ?? '').join(separator);
    return { ...series, labels: withLabel(series.labels, target, value) };
  });
  return joined(changed);
}

function textsOf({ args }: Call): string[] {
  return args.slice(1).map((argument) => (argument as StringLiteral).text);
}

function checkLabel(name: string, { from }: Call): void {
  if (!LABEL.test(name)) throw PromqlError.at(from, `${name} is not the name of a label`);
}

function patternOf(text: string, { from }: Call): Pattern {
  try {
    return new Pattern(text);
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
