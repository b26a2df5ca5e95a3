import { metrics, type ConformanceCase } from '../conformance-case.ts';
import { counter, gauge, histogram, type Json } from '../otlp-json.ts';

const METRIC_NAMES = [
  'plain',
  'http.server.duration',
  'a-b',
  'a b',
  'a/b',
  'a.b..c',
  'a__b',
  '_a',
  '__a__',
  'a_',
  '9lives',
  '9',
  'a:b',
  ':a',
  '_',
  '',
  '...',
  'żółć',
  '日本',
  'ca\u0301fe',
  'CamelCase',
  'requests_total',
  'requests.total.bytes',
  'total',
  'x_ratio',
  'x.seconds',
  'seconds',
  'x_created',
  'x_sum',
  'x_bucket',
  'x_info',
  '"quoted"',
  'a\nb',
  'a{b="c"}',
  'x'.repeat(300),
] as const;

const LABEL_NAMES = [
  'plain',
  'a.b',
  'a-b',
  'a b',
  'a.b..c',
  'a__b',
  '_a',
  '1a',
  '1',
  'a:b',
  'UPPER',
  '"quoted"',
  'a\nb',
  'a="b",c',
  'le',
  'quantile',
  'job',
  'instance',
  'otel_scope_name',
  'key_1a',
  'x'.repeat(300),
] as const;

/** Nothing that Prometheus accepts as a label remains of these. */
const LOST_LABEL_NAMES = ['', ':', '_', '__', '...', 'żółć', '日本'] as const;

/** With the label that siphon shows. */
const RESERVED_LABEL_NAMES = { __a: '__a', __a__: '__a__', __name__: 'exported___name__' } as const;

const STRATEGIES = [
  'UnderscoreEscapingWithSuffixes',
  'UnderscoreEscapingWithoutSuffixes',
  'NoUTF8EscapingWithSuffixes',
  'NoTranslation',
] as const;

const shown = (name: string): string =>
  JSON.stringify(name.length > 40 ? `${name.slice(0, 3)}… (${name.length})` : name);

const ofEveryKind = (name: string): Json[] => [
  gauge(name, [{ value: 1 }], { unit: 's' }),
  counter(`${name}.c`, [{ value: 2 }], { unit: 'By/s' }),
  histogram(`${name}.h`, [{ count: 1n, sum: 3 }], { unit: 'ms' }),
  gauge(`${name}.share`, [{ attributes: { 'a.b': '1', '1c': '2', 'x ż': '3' }, value: 1 }], { unit: '1' }),
];

/** The `Accept` headers of Prometheus 3 and Prometheus 2. */
const ACCEPTS = [
  { as: 'UTF-8 names', accept: 'text/plain;version=0.0.4;escaping=allow-utf-8' },
  { as: 'legacy names', accept: 'text/plain;version=0.0.4' },
];

export const nameCases: readonly ConformanceCase[] = [
  ...METRIC_NAMES.map((name) => ({
    name: `metric name: ${shown(name)}`,
    requests: [metrics(gauge(name, [{ value: 1 }]), counter(`z.${name}`, [{ value: 2 }]))],
  })),
  ...METRIC_NAMES.map((name) => ({
    name: `metric name with unit: ${shown(name)}`,
    requests: [
      metrics(gauge(name, [{ value: 1 }], { unit: 's' }), counter(`z.${name}`, [{ value: 2 }], { unit: 'By' })),
    ],
  })),
  ...LABEL_NAMES.map((name) => ({
    name: `label name: ${shown(name)}`,
    requests: [metrics(gauge('g', [{ attributes: { [name]: 'x', other: 'y' }, value: 1 }]))],
  })),
  ...LOST_LABEL_NAMES.map((name) => ({
    name: `label name: ${shown(name)}`,
    requests: [metrics(gauge('g', [{ attributes: { [name]: 'x', other: 'y' }, value: 1 }]))],
    differs: { id: 'prometheus-lost-label', page: ['# HELP g ', '# TYPE g gauge', 'g{other="y"} 1'] },
  })),
  ...Object.entries(RESERVED_LABEL_NAMES).map(([name, label]) => ({
    name: `label name: ${shown(name)}`,
    requests: [metrics(gauge('g', [{ attributes: { [name]: 'x', other: 'y' }, value: 1 }]))],
    differs: {
      id: 'prometheus-reserved-label',
      page: ['# HELP g ', '# TYPE g gauge', `g{${label}="x",other="y"} 1`],
    },
  })),
  ...STRATEGIES.flatMap((translation_strategy) =>
    ['http.server-requests', '9lives', 'żółć.total', 'x_seconds_total', 'a__b'].flatMap((name) =>
      ACCEPTS.map(({ accept, as }) => ({
        name: `${translation_strategy}, ${as}: ${name}`,
        config: { translation_strategy, without_scope_info: true },
        accept,
        requests: [metrics(...ofEveryKind(name))],
      })),
    ),
  ),
];
