import { metrics, type ConformanceCase } from '../conformance-case.ts';
import { gauge, type Attributes, type AttributeValue } from '../otlp-json.ts';

const VALUES: Readonly<Record<string, AttributeValue>> = {
  'a string': 'x',
  'an empty string': '',
  'a string with quotes, backslashes and line ends': 'a"b\\c\nd\re',
  'a string with control characters': '\0\t\u001F\u007F',
  'a string beyond ASCII': 'żółć ☕ 日本語 \u{1F600}',
  'a long string': 'x'.repeat(5000),
  'a string that looks like another label': '",x="1',
  true: true,
  false: false,
  'an integer': 42n,
  'a negative integer': -42n,
  'the largest integer': 2n ** 63n - 1n,
  'the smallest integer': -(2n ** 63n),
  'a double': 1.5,
  'a whole double': 1,
  'a double of zero': 0,
  'a negative zero': -0,
  'a large double': 1e21,
  'a double just below 1e21': 999_999_999_999_999_900_000,
  'a small double': 1e-7,
  'a double just above 1e-7': 0.000_001,
  'not a number': Number.NaN,
  'an infinity': Infinity,
  bytes: new Uint8Array([0, 1, 254, 255]),
  'no bytes': new Uint8Array(0),
  'nothing at all': null,
  'an array of strings': ['a', 'b'],
  'an empty array': [],
  'a mixed array': ['a', 1n, 1.5, true, null, ['b'], { c: 'd' }],
  'an array with markup': ['<a & b>', '\u2028'],
  'an array with a number that JSON does not know': [Number.NaN],
  'an array with bytes': [new Uint8Array([1])],
  'a map': { b: 1n, a: 'x' },
  'an empty map': {},
  'a nested map': { a: { b: { c: [1n, { d: null }] } } },
};

const SETS: Readonly<Record<string, Attributes>> = {
  'none at all': {},
  'several, in another order than that of their names': { z: '1', a: '2', m: '3', B: '4' },
  'forty of them': Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`k${i}`, String(i)])),
};

export const attributeCases: readonly ConformanceCase[] = [
  ...Object.entries(VALUES).map(([what, value]) => ({
    name: `attribute value: ${what}`,
    requests: [metrics(gauge('g', [{ attributes: { a: value }, value: 1 }]))],
  })),
  ...Object.entries(SETS).map(([what, attributes]) => ({
    name: `attributes: ${what}`,
    requests: [metrics(gauge('g', [{ attributes, value: 1 }]))],
  })),
  {
    name: 'attributes: the same in another order are the same series',
    requests: [
      metrics(gauge('g', [{ attributes: { a: '1', b: '2' }, value: 1 }])),
      metrics(gauge('g', [{ attributes: { b: '2', a: '1' }, value: 2, time: 20 }])),
    ],
  },
  {
    name: 'attributes: an integer and the same text',
    requests: [
      metrics(
        gauge('g', [
          { attributes: { a: 1n }, value: 1 },
          { attributes: { a: '1' }, value: 2, time: 20 },
        ]),
      ),
    ],
  },
];
