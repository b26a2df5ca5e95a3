import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { ConfigError, ProblemList } from './config-error.ts';
import { toValue, type ConfigNode } from './config-node.ts';
import { parseDuration } from '../schema/duration.ts';
import { expandNode } from './expand.ts';
import { mergeNodes } from './merge-nodes.ts';
import { parseYaml } from './parse-yaml.ts';

const key = fc.constantFrom('a', 'b', 'c');
const tree = fc.letrec<{ node: ConfigNode }>((tie) => ({
  node: fc.oneof(
    { maxDepth: 3 },
    fc.integer().map((value): ConfigNode => ({ kind: 'scalar', place: { source: 'x' }, value })),
    fc
      .array(fc.tuple(key, tie('node')))
      .map((entries): ConfigNode => ({ kind: 'mapping', place: { source: 'x' }, entries: new Map(entries) })),
  ),
})).node;

const expand = (text: string, environment: Record<string, string> = {}): unknown => {
  const context = { environment, problems: new ProblemList(), onUnset: () => undefined };
  return toValue(expandNode({ kind: 'scalar', place: { source: 'x' }, value: text }, context));
};

it('parseDuration reads what is written of hours, minutes, seconds and milliseconds', () => {
  const parts = fc.tuple(fc.nat(99), fc.nat(59), fc.nat(59), fc.nat(999));
  fc.assert(
    fc.property(parts, ([h, m, s, ms]) => {
      expect(parseDuration(`${h}h${m}m${s}s${ms}ms`)).toBe(h * 3_600_000 + m * 60_000 + s * 1000 + ms);
    }),
  );
});

it('parseDuration takes no number without a unit but zero', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1 }), (n) => {
      expect(parseDuration(String(n))).toBeUndefined();
    }),
  );
});

it('merging is associative, and merging with itself changes nothing', () => {
  fc.assert(
    fc.property(tree, tree, tree, (a, b, c) => {
      // Not for scalars between mappings: those erase what was before them, whatever the grouping.
      expect(toValue(mergeNodes(a, a))).toEqual(toValue(a));
      if (b.kind === 'mapping') return;
      expect(toValue(mergeNodes(mergeNodes(a, b), c))).toEqual(toValue(c.kind === 'mapping' ? mergeNodes(b, c) : c));
    }),
  );
});

it('any text survives expansion when its dollars are doubled', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (text) => {
      expect(expand(text.replaceAll('$', '$$$$'))).toBe(text);
    }),
  );
});

it('expansion of any text and environment ends, with a value or a problem', () => {
  const piece = fc.constantFrom('${', '}', '$', 'env:', ':-', 'A', 'B', '${A}', '${env:B}', 'file:', 'x', ' ');
  const text = fc.array(piece, { maxLength: 12 }).map((pieces) => pieces.join(''));
  fc.assert(fc.property(text, text, text, (value, A, B) => void expand(value, { A, B })));
});

it('any text is either YAML or a ConfigError', () => {
  const piece = fc.constantFrom(
    'a',
    ': ',
    '\n',
    '  ',
    '- ',
    '[',
    ']',
    '{',
    '}',
    '&x ',
    '*x',
    '<<',
    '|',
    '>',
    '"',
    "'",
    '#',
    '---',
    '!',
    '?',
    ',',
    '\t',
  );
  fc.assert(
    fc.property(
      fc.array(piece).map((pieces) => pieces.join('')),
      (text) => {
        try {
          parseYaml('x', text);
        } catch (error) {
          expect(error).toBeInstanceOf(ConfigError);
        }
      },
    ),
    { numRuns: 2000 },
  );
});
