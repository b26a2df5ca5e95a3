import type { PartialParse, SyntaxNode, Tree } from '@lezer/common';
import { parser } from '@prometheus-io/lezer-promql';
import { suggest } from '../../engine/config/nearest-name.ts';
import type { Budget, Steps } from '../budget.ts';
import { PromqlError } from '../promql-error.ts';
import { checkAggregation, checkBinary, checkCall, checkNegation } from './check-types.ts';
import {
  AGGREGATIONS,
  POWER,
  precedenceOf,
  type Aggregation,
  type AggregationOperator,
  type BinaryOperator,
  type Expression,
  type Grouping,
  type Matching,
} from './expression.ts';
import { isFunctionName, signatures } from './function-signature.ts';
import { numberOf, textOf } from './literal.ts';
import { applyPostfix, isPostfix, type Postfix } from './postfix.ts';
import { patternSizeOf, readSelector } from './read-selector.ts';

/** A longer expression is a mistake. */
const MAX_LENGTH = 65_536;
const MAX_DEPTH = 200;
/** The limit of levels in the tree of the grammar: a call has two, an operator one. What reads the tree is recursive. */
const MAX_TREE_DEPTH = 500;
/** A token costs about as much as this many small steps. */
const TOKEN_STEPS = 64;
/** The states of all patterns of an expression together. */
const MAX_PATTERN_SIZE = 20_000;

/**
 * Parses PromQL with Prometheus's grammar for editors, and checks the types. That grammar differs from the parser of
 * Prometheus in how tightly `offset`, `@`, brackets and signs bind, so the order of operators is decided here.
 *
 * @throws PromqlError that names the position.
 */
export function* parsePromql(text: string, budget: Budget): Steps<Expression> {
  if (text.length > MAX_LENGTH)
    throw new PromqlError('bad_data', `the expression is longer than ${MAX_LENGTH} characters`);
  if (text.trim() === '') throw new PromqlError('bad_data', 'there is no expression');
  checkBrackets(text);
  const tree = yield* treeOf(text, budget);
  yield* checkDepth(tree, budget);
  return new PromqlReader(text).read(tree.topNode.firstChild as SyntaxNode);
}

/** The grammar takes long to find out that many brackets have no end. */
function checkBrackets(text: string): void {
  let depth = 0;
  for (const { 0: token, index } of text.matchAll(BRACKETS_AND_TEXTS)) {
    if ('([{'.includes(token)) depth++;
    else if (')]}'.includes(token)) depth--;
    if (depth > MAX_DEPTH) throw tooDeep(index);
  }
}

const BRACKETS_AND_TEXTS = /[()[\]{}]|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|`[^`]*`|#.*/g;

function tooDeep(from: number): PromqlError {
  return PromqlError.at(from, 'too many expressions within each other');
}

/** The grammar recovers from an error at great expense, so the first one ends it. */
function* treeOf(text: string, budget: Budget): Steps<Tree> {
  const parse = strictParser.startParse(text);
  for (;;) {
    const tree = advanced(parse, text);
    if (tree !== null) return tree;
    if (budget.spend(TOKEN_STEPS)) yield;
  }
}

const strictParser = parser.configure({ strict: true });

function advanced(parse: PartialParse, text: string): Tree | null {
  try {
    return parse.advance();
  } catch (error) {
    throw error instanceof SyntaxError ? syntaxProblem(text, parse.parsedPos) : error;
  }
}

/** Without recursion, because what is behind it is recursive. */
function* checkDepth(tree: Tree, budget: Budget): Steps<void> {
  const cursor = tree.cursor();
  let depth = 0;
  for (;;) {
    if (budget.spend(TOKEN_STEPS)) yield;
    if (cursor.firstChild()) {
      if (++depth > MAX_TREE_DEPTH) throw tooDeep(cursor.from);
      continue;
    }
    while (!cursor.nextSibling()) {
      if (!cursor.parent()) return;
      depth--;
    }
  }
}

const FUNCTIONS = [...Object.keys(signatures), ...AGGREGATIONS];

function syntaxProblem(text: string, error: number): PromqlError {
  const name = /([A-Za-z_]\w*)\s*$/.exec(text.slice(0, error))?.[1];
  const isCall = name !== undefined && text.slice(error).trimStart().startsWith('(');
  if (isCall) return PromqlError.at(error, `siphon does not have the function ${name}${suggest(name, FUNCTIONS)}`);
  const rest = text.slice(error, error + 20);
  return PromqlError.at(error, rest.trim() === '' ? 'the expression ends too early' : `cannot be parsed: ${rest}`);
}

/** An expression without its order: operands with what follows them, and operators between. */
type Item =
  | { readonly kind: 'operand'; readonly node: SyntaxNode }
  | { readonly kind: 'number'; readonly from: number; readonly text: string }
  | { readonly kind: 'sign'; readonly from: number; readonly sign: string }
  | { readonly kind: 'operator'; readonly node: SyntaxNode; readonly modifiers: readonly SyntaxNode[] }
  | { readonly kind: 'postfix'; readonly postfix: Postfix };

class PromqlReader {
  readonly #text: string;
  #depth = 0;
  #patternSize = 0;

  constructor(text: string) {
    this.#text = text;
  }

  read(node: SyntaxNode): Expression {
    if (++this.#depth > MAX_DEPTH) throw tooDeep(node.from);
    const items = new Items([...this.#flatten(node)]);
    const expression = this.#operation(items, 0);
    this.#depth--;
    return expression;
  }

  *#flatten(node: SyntaxNode): Generator<Item> {
    const first = node.firstChild;
    switch (node.name) {
      case 'BinaryExpr': {
        const [left, operator, ...others] = childrenOf(node) as [SyntaxNode, SyntaxNode, ...SyntaxNode[]];
        yield* this.#flatten(left);
        yield { kind: 'operator', node: operator, modifiers: others.slice(0, -1) };
        yield* this.#flatten(others.at(-1) as SyntaxNode);
        return;
      }
      case 'UnaryExpr':
        yield { kind: 'sign', from: node.from, sign: this.#slice(first as SyntaxNode) };
        yield* this.#flatten(node.lastChild as SyntaxNode);
        return;
      case 'NumberDurationLiteral': {
        const text = this.#slice(node);
        const [, sign = '', digits = ''] = /^([-+]?)\s*(.*)$/s.exec(text) ?? [];
        if (sign !== '') yield { kind: 'sign', from: node.from, sign };
        yield { kind: 'number', from: node.to - digits.length, text: digits };
        return;
      }
      default:
        if (!isPostfix(node.name)) return yield { kind: 'operand', node };
        yield* this.#flatten(first as SyntaxNode);
        yield { kind: 'postfix', postfix: { node, text: this.#text } };
    }
  }

  /** Operators from this precedence on. */
  #operation(items: Items, least: number): Expression {
    let left = this.#signed(items);
    for (;;) {
      const next = items.peek();
      if (next?.kind !== 'operator') return left;
      const operator = this.#slice(next.node).toLowerCase();
      const precedence = precedenceOf(operator);
      if (precedence === undefined) throw PromqlError.at(next.node.from, `the operator ${operator} is not supported`);
      if (precedence < least) return left;
      items.take();
      const right = this.#operation(items, precedence === POWER ? POWER : precedence + 1);
      const { isBool, matching } = this.#modifiers(next.modifiers);
      const from = next.node.from;
      left = checkBinary({ kind: 'binary', from, operator: operator as BinaryOperator, left, right, isBool, matching });
    }
  }

  /** A sign is for the power behind it: -2^2 is -4. */
  #signed(items: Items): Expression {
    const next = items.take();
    if (next.kind === 'sign') {
      const of = this.#operation(items, POWER);
      return next.sign === '+' ? of : negated(of, next.from);
    }
    let expression = this.#operand(next);
    for (let postfix = items.peek(); postfix?.kind === 'postfix'; postfix = items.peek()) {
      expression = applyPostfix(expression, postfix.postfix);
      items.take();
    }
    return expression;
  }

  #operand(item: Item): Expression {
    if (item.kind === 'number') return { kind: 'number', from: item.from, value: numberOf(item.text, item.from) };
    if (item.kind !== 'operand') throw new PromqlError('bad_data', 'an operator without what it operates on');
    const { node } = item;
    switch (node.name) {
      case 'ParenExpr':
        return this.read(node.firstChild as SyntaxNode);
      case 'VectorSelector':
        return this.#selector(node);
      case 'StringLiteral':
        return { kind: 'string', from: node.from, text: textOf(this.#slice(node), node.from) };
      case 'FunctionCall':
        return this.#call(node);
      case 'AggregateExpr':
        return this.#aggregation(node);
      default:
        throw PromqlError.at(node.from, `${this.#slice(node)} is not supported`);
    }
  }

  #selector(node: SyntaxNode): Expression {
    const selector = readSelector(node, this.#text, MAX_PATTERN_SIZE - this.#patternSize);
    this.#patternSize += patternSizeOf(selector.matchers);
    return selector;
  }

  #call(node: SyntaxNode): Expression {
    const name = this.#slice(node.getChild('FunctionIdentifier') as SyntaxNode);
    if (!isFunctionName(name))
      throw PromqlError.at(node.from, `the function ${name} is not supported${suggest(name, FUNCTIONS)}`);
    return checkCall({ kind: 'call', from: node.from, name, args: this.#body(node) });
  }

  #aggregation(node: SyntaxNode): Aggregation {
    const operator = this.#slice(node.getChild('AggregateOp') as SyntaxNode).toLowerCase();
    if (!isAggregation(operator)) throw PromqlError.at(node.from, `the aggregation ${operator} is not supported`);
    const modifier = node.getChild('AggregateModifier');
    const grouping: Grouping = {
      isOnly: (modifier?.getChild('Without') ?? null) === null,
      labels: modifier === null ? [] : this.#labels(modifier.getChild('GroupingLabels') as SyntaxNode),
    };
    return checkAggregation({ from: node.from, operator, grouping, args: this.#body(node) });
  }

  #body(node: SyntaxNode): Expression[] {
    return childrenOf(node.getChild('FunctionCallBody') as SyntaxNode).map((argument) => this.read(argument));
  }

  #modifiers(nodes: readonly SyntaxNode[]): { readonly isBool: boolean; readonly matching: Matching } {
    const other = nodes.find(({ name }) => name !== 'BoolModifier' && name !== 'MatchingModifierClause');
    if (other !== undefined) throw PromqlError.at(other.from, `${this.#slice(other)} is not supported`);
    const clause = nodes.find(({ name }) => name === 'MatchingModifierClause');
    const isBool = nodes.some(({ name }) => name === 'BoolModifier');
    if (clause === undefined) return { isBool, matching: { isOnly: false, labels: [], many: undefined, included: [] } };
    const [labels, included] = clause.getChildren('GroupingLabels').map((list) => this.#labels(list));
    const many = clause.getChild('GroupLeft') === null ? clause.getChild('GroupRight') && 'right' : 'left';
    const isOnly = clause.getChild('On') !== null;
    return { isBool, matching: { isOnly, labels: labels ?? [], many: many ?? undefined, included: included ?? [] } };
  }

  #labels(list: SyntaxNode): string[] {
    return childrenOf(list).map((node) =>
      node.name === 'QuotedLabelName' ? textOf(this.#slice(node), node.from) : this.#slice(node),
    );
  }

  #slice({ from, to }: SyntaxNode): string {
    return this.#text.slice(from, to);
  }
}

class Items {
  readonly #items: readonly Item[];
  #at = 0;

  constructor(items: readonly Item[]) {
    this.#items = items;
  }

  peek(): Item | undefined {
    return this.#items[this.#at];
  }

  take(): Item {
    return this.#items[this.#at++] as Item;
  }
}

function negated(of: Expression, from: number): Expression {
  return of.kind === 'number' ? { ...of, value: -of.value } : checkNegation(of, from);
}

function isAggregation(text: string): text is AggregationOperator {
  return (AGGREGATIONS as readonly string[]).includes(text);
}

function childrenOf(node: SyntaxNode): SyntaxNode[] {
  const children: SyntaxNode[] = [];
  for (let child = node.firstChild; child !== null; child = child.nextSibling) children.push(child);
  return children;
}
