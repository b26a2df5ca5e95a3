import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ConfigError } from './config-error.ts';
import { toValue } from './config-node.ts';
import { parseYaml } from './parse-yaml.ts';

const valueOf = (text: string): unknown => toValue(parseYaml('c.yaml', text));

const SPACE = /^\s*(?:# c \]\n)?$/;

describe('a flow collection of several lines', () => {
  it.each([
    ['a bracket at the column of its key', 'receivers: [\n  otlp,\n]\nservice: 1', { receivers: ['otlp'], service: 1 }],
    ['items at the column of their key', 'a:\n  b: [\n  x,\n  y\n  ]', { a: { b: ['x', 'y'] } }],
    ['items left of their key', 'a:\n  b: {\nx: 1,\n y: 2\n}\nc: 3', { a: { b: { x: 1, y: 2 } }, c: 3 }],
    ['brackets in an item of a list', 'a:\n- - b: [\n1\n]\n- 2', { a: [[{ b: [1] }], 2] }],
    ['tabs', 'a: {\n\tb: 1\n}', { a: { b: 1 } }],
    ['comments at the first column', 'a: [\n# one ]\n1, # two\n# three\n]', { a: [1] }],
    ['quoted text', 'a: [ "x\ny",\n\'z\n w\'\n]', { a: ['x y', 'z w'] }],
    ['text without quotes', 'a: [ x\ny,\nz ]', { a: ['x y', 'z'] }],
    ['empty lines and CRLF', 'a: [\r\n\r\n1,\r\n\r\n]\r\nb: 2', { a: [1], b: 2 }],
  ])('may have %s', (_, text, expected) => {
    expect(valueOf(text)).toEqual(expected);
  });

  it('keeps the lines of everything that follows', () => {
    const text = 'a: [\n1,\n]\nb: 1\nb: 2\n';
    expect(() => parseYaml('c.yaml', text)).toThrow('c.yaml:5: contains the key b twice');
    expect(() => parseYaml('c.yaml', 'a: [\n1,\n}\n')).toThrow('c.yaml:3: is not valid YAML');
    expect(() => parseYaml('c.yaml', 'a:\n  - [\n1\n')).toThrow(ConfigError);
  });

  it('has the same value as on one line, however its lines are indented', () => {
    const spaces = fc.constantFrom('', ' ', '\n', '\n  ', '\n\n      ', ' # c ]\n', '\n\t');
    const leaf = fc.constantFrom('1', 'a', '"q s"', 'true', 'http://x');
    const tree = fc.letrec<{ flow: readonly string[] }>((tie) => ({
      flow: fc.oneof(
        { maxDepth: 3 },
        leaf.map((text) => [text]),
        fc
          .array(fc.tuple(spaces, tie('flow'), spaces), { maxLength: 3 })
          .map((items) => [
            '[',
            ...items.flatMap(([before, item, after], index) => [...(index > 0 ? [','] : []), before, ...item, after]),
            ']',
          ]),
      ),
    }));
    fc.assert(
      fc.property(tree.flow, fc.constantFrom('k: ', 'a:\n  b: ', '- - c: '), (parts, before) => {
        const oneLine = parts.map((part) => (SPACE.test(part) ? ' ' : part)).join('');
        expect(valueOf(before + parts.join(''))).toEqual(valueOf(before + oneLine));
      }),
      { numRuns: 300 },
    );
  });

  it('is refused within bounded time if far too many lines must be indented', () => {
    const startedAt = performance.now();
    expect(() => valueOf(`a: [\n${'1,\n'.repeat(300_000)}]`)).toThrow(ConfigError);
    expect(performance.now() - startedAt).toBeLessThan(6000);
  });
});
