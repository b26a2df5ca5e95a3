/** Parts behind an operand, which bind more tightly than any operator: a range, a subquery, `offset`, `@`. */
import type { SyntaxNode } from '@lezer/common';
import { PromqlError } from '../promql-error.ts';
import type { Expression, Shift } from './expression.ts';
import { durationMs, numberOf } from './literal.ts';
import { typeName, valueTypeOf } from './value-type.ts';

export interface Postfix {
  /** The node whose last parts it is. */
  readonly node: SyntaxNode;
  /** The whole text. */
  readonly text: string;
}

const KINDS = new Set([
  'MatrixSelector',
  'SubqueryExpr',
  'OffsetExpr',
  'StepInvariantExpr',
  'AnchoredExpr',
  'SmoothedExpr',
]);

export function isPostfix(nodeName: string): boolean {
  return KINDS.has(nodeName);
}

export function applyPostfix(of: Expression, postfix: Postfix): Expression {
  const { node } = postfix;
  switch (node.name) {
    case 'MatrixSelector':
      return rangeOf(of, postfix);
    case 'SubqueryExpr':
      return subqueryOf(of, postfix);
    case 'OffsetExpr':
      return shifted(of, postfix, { offsetMs: offsetOf(node.lastChild as SyntaxNode, postfix.text) });
    case 'StepInvariantExpr':
      return shifted(of, postfix, { at: timeOf(postfix) });
    default:
      throw PromqlError.at(node.from, `${postfix.text.slice(node.from, node.to)} is not supported`);
  }
}

function rangeOf(of: Expression, { node, text }: Postfix): Expression {
  if (of.kind !== 'selector') throw PromqlError.at(node.from, 'a range is only for a selector; a subquery has a colon');
  if (of.offsetMs !== 0 || of.at !== undefined)
    throw PromqlError.at(node.from, 'the range must stand before offset and @');
  const [range] = node.getChildren('DurationExpr');
  return { kind: 'range', from: node.from, of, rangeMs: positiveDuration(range as SyntaxNode, text) };
}

function subqueryOf(of: Expression, { node, text }: Postfix): Expression {
  const type = valueTypeOf(of);
  if (type !== 'vector')
    throw PromqlError.at(node.from, `a subquery is only for an instant vector, not for ${typeName(type)}`);
  const [range, step] = node.getChildren('DurationExpr');
  return {
    kind: 'subquery',
    from: node.from,
    of,
    rangeMs: positiveDuration(range as SyntaxNode, text),
    stepMs: step === undefined ? undefined : positiveDuration(step, text),
    offsetMs: 0,
  };
}

function shifted(of: Expression, { node }: Postfix, shift: Partial<Shift>): Expression {
  if (of.kind === 'range') return { ...of, of: shiftedOnce(of.of, node, shift) };
  if (of.kind === 'selector' || of.kind === 'subquery') return shiftedOnce(of, node, shift);
  throw PromqlError.at(node.from, 'offset and @ are only for a selector or a subquery');
}

function shiftedOnce<T extends Shift>(of: T, node: SyntaxNode, shift: Partial<Shift>): T {
  if (shift.offsetMs !== undefined && of.offsetMs !== 0) throw PromqlError.at(node.from, 'offset is set twice');
  if (shift.at !== undefined && of.at !== undefined) throw PromqlError.at(node.from, '@ is set twice');
  return { ...of, ...shift };
}

function timeOf({ node, text }: Postfix): number | 'start' | 'end' {
  const special = node.getChild('AtModifierPreprocessors');
  if (special !== null) return special.getChild('AtStart') === null ? 'end' : 'start';
  const time = node.lastChild as SyntaxNode;
  const [, sign, digits = ''] = /^([-+]?)\s*(.*)$/s.exec(text.slice(time.from, time.to)) ?? [];
  const seconds = numberOf(digits, time.from) * (sign === '-' ? -1 : 1);
  if (!Number.isFinite(seconds)) throw PromqlError.at(time.from, 'the time of @ must be a number');
  return Math.round(seconds * 1000);
}

function offsetOf(node: SyntaxNode, text: string): number {
  const sign = node.getChild('UnaryOp');
  if (sign === null) return literalDuration(node, text);
  return offsetOf(node.lastChild as SyntaxNode, text) * (text.slice(sign.from, sign.to) === '-' ? -1 : 1);
}

function positiveDuration(node: SyntaxNode, text: string): number {
  const ms = literalDuration(node, text);
  if (ms <= 0) throw PromqlError.at(node.from, 'the duration must be greater than 0');
  return ms;
}

function literalDuration(node: SyntaxNode, text: string): number {
  const literal = text.slice(node.from, node.to);
  const ms = durationMs(literal);
  if (ms === undefined) throw PromqlError.at(node.from, `${literal} is not a duration, as 5m and 1h30m are`);
  return ms;
}
