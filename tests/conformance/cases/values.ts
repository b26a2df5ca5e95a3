import { metrics, type ConformanceCase } from '../conformance-case.ts';
import { counter, gauge } from '../otlp-json.ts';

const VALUES: readonly (number | bigint)[] = [
  0,
  -0,
  1,
  -1,
  1.5,
  0.1,
  0.1 + 0.2,
  100_000,
  999_999,
  1_000_000,
  1_234_567,
  12_345_678.9,
  1e20,
  1e21,
  1e22,
  1e100,
  0.001,
  0.0001,
  0.00001,
  1e-7,
  1e-21,
  -2.5e-10,
  123_456_789_012_345,
  2 ** 53,
  Math.PI,
  Number.MAX_VALUE,
  -Number.MAX_VALUE,
  Number.MIN_VALUE,
  2.2250738585072014e-308,
  Number.NaN,
  Infinity,
  -Infinity,
  0n,
  1n,
  -1n,
  999_999n,
  1_000_000n,
  20_999_999n,
  2n ** 53n + 1n,
  2n ** 63n - 1n,
  -(2n ** 63n),
];

const text = (value: number | bigint): string =>
  typeof value === 'bigint' ? `the integer ${value}` : `the double ${Object.is(value, -0) ? '-0' : value}`;

export const valueCases: readonly ConformanceCase[] = [
  ...VALUES.map((value) => ({
    name: `value: ${text(value)}`,
    requests: [metrics(gauge('g', [{ value }]), counter('c', [{ value }]))],
  })),
  {
    name: 'value: none on a gauge',
    requests: [metrics(gauge('g', [{}]), gauge('h', [{ value: 1 }]))],
    differs: { id: 'prometheus-no-value', page: ['# HELP h ', '# TYPE h gauge', 'h 1'] },
  },
  {
    name: 'value: an integer after a double',
    requests: [metrics(gauge('g', [{ value: 1.5 }])), metrics(gauge('g', [{ value: 2n, time: 20 }]))],
  },
];
