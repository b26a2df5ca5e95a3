import type { SyntaxNode } from '@lezer/common';
import { METRIC_NAME } from '../labels.ts';
import { Matcher, type MatchOperator } from '../matcher.ts';
import { PromqlError } from '../promql-error.ts';
import type { VectorSelector } from './expression.ts';
import { textOf } from './literal.ts';

/**
 * Reads a `VectorSelector` of the grammar.
 *
 * @param maxPatternSize how many states its patterns may have together.
 */
export function readSelector(node: SyntaxNode, text: string, maxPatternSize: number): VectorSelector {
  const slice = ({ from, to }: SyntaxNode): string => text.slice(from, to);
  const identifier = node.getChild('Identifier');
  const matchers = identifier === null ? [] : [new Matcher(METRIC_NAME, '=', slice(identifier))];
  let size = 0;
  const list = node.getChild('LabelMatchers');
  for (let child = list?.firstChild ?? null; child !== null; child = child.nextSibling) {
    const matcher = readMatcher(child, slice);
    const isSecondName = identifier !== null && matcher.label === METRIC_NAME;
    if (isSecondName) throw PromqlError.at(child.from, 'the name of the metric is set twice');
    matchers.push(matcher);
    size += matcher.patternSize;
    if (size > maxPatternSize) throw PromqlError.at(child.from, 'the patterns are too large together');
  }
  if (matchers.every((matcher) => matcher.fitsAbsent)) {
    throw PromqlError.at(node.from, 'a selector needs at least one matcher that an absent label does not fit');
  }
  return { kind: 'selector', from: node.from, matchers, offsetMs: 0 };
}

export function patternSizeOf(matchers: readonly Matcher[]): number {
  return matchers.reduce((size, { patternSize }) => size + patternSize, 0);
}

function readMatcher(node: SyntaxNode, slice: (node: SyntaxNode) => string): Matcher {
  if (node.name === 'QuotedLabelName') return new Matcher(METRIC_NAME, '=', textOf(slice(node), node.from));
  const name = (node.getChild('LabelName') ?? node.getChild('QuotedLabelName')) as SyntaxNode;
  const label = name.name === 'LabelName' ? slice(name) : textOf(slice(name), name.from);
  const operator = slice(node.getChild('MatchOp') as SyntaxNode) as MatchOperator;
  const value = node.getChild('StringLiteral') as SyntaxNode;
  try {
    return new Matcher(label, operator, textOf(slice(value), value.from));
  } catch (error) {
    throw error instanceof PromqlError ? error : PromqlError.at(value.from, (error as Error).message);
  }
}
