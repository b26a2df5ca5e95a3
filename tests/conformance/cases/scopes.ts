import type { ConformanceCase } from '../conformance-case.ts';
import { from, gauge, histogram, type Json, type Scope } from '../otlp-json.ts';

const SCOPES: Readonly<Record<string, Scope>> = {
  'nothing known': {},
  'a name': { name: 'lib' },
  'a name and a version': { name: 'lib', version: '1.2' },
  'a schema URL': { name: 'lib', schemaUrl: 'https://opentelemetry.io/schemas/1.30.0' },
  attributes: { name: 'lib', attributes: { 'short.name': 'x', n: 1n, b: true } },
  'attributes named as its own fields': {
    name: 'lib',
    version: '1',
    attributes: { name: 'x', version: 'y', schema_url: 'z' },
  },
  'attributes with strange names': { name: 'lib', attributes: { '1a': 'x', 'a-b': 'y', ż: 'z' } },
  'a name with quotes': { name: 'a"b\\c\nd' },
};

const all: readonly Json[] = [
  gauge('g', [{ attributes: { a: 'x' }, value: 1 }]),
  histogram('h', [{ count: 1n, sum: 3, bounds: [1], counts: [0n, 1n] }]),
];

const both = (one: Scope, other: Scope): ConformanceCase['requests'] => [
  [from({}, one, [gauge('g', [{ value: 1 }])]), from({}, other, [gauge('g', [{ value: 2 }])])],
];

export const scopeCases: readonly ConformanceCase[] = [
  ...Object.entries(SCOPES).map(([what, scope]) => ({
    name: `scope: ${what}`,
    config: {},
    requests: [[from({}, scope, all)]],
  })),
  ...Object.entries(SCOPES).map(([what, scope]) => ({
    name: `scope left out: ${what}`,
    config: { without_scope_info: true },
    requests: [[from({}, scope, all)]],
  })),
  { name: 'scopes: two names', config: {}, requests: both({ name: 'a' }, { name: 'b' }) },
  {
    name: 'scopes: two versions',
    config: {},
    requests: both({ name: 'a', version: '1' }, { name: 'a', version: '2' }),
  },
  {
    name: 'scopes: two schemas',
    config: {},
    requests: both({ name: 'a', schemaUrl: 'x' }, { name: 'a', schemaUrl: 'y' }),
  },
  {
    name: 'scopes: other attributes',
    config: {},
    requests: both({ name: 'a', attributes: { k: '1' } }, { name: 'a', attributes: { k: '2' } }),
  },
  {
    name: 'scope and a point attribute of the same label',
    config: {},
    requests: [[from({}, { name: 'lib' }, [gauge('g', [{ attributes: { other: 'x' }, value: 1 }])])]],
  },
];
