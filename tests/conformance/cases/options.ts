import { metrics, type ConformanceCase } from '../conformance-case.ts';
import { counter, from, gauge, histogram, summary, type Json } from '../otlp-json.ts';

const list: readonly Json[] = [
  gauge('g', [{ attributes: { a: 'x' }, value: 1 }], { unit: 's' }),
  counter('c', [{ attributes: { a: 'x' }, value: 2 }]),
  histogram('h', [{ count: 3n, sum: 3, bounds: [1], counts: [1n, 2n] }]),
  summary('s', [{ count: 9n, sum: 12, quantiles: [[0.5, 1]] }]),
];

const OPTIONS: Readonly<Record<string, { readonly [option: string]: Json }>> = {
  none: {},
  namespace: { namespace: 'shop' },
  'namespace with a dot': { namespace: 'coffee.shop' },
  'namespace with a digit': { namespace: '1shop' },
  'namespace with underscores': { namespace: '_shop__x_' },
  'namespace without suffixes': { namespace: 'coffee.shop', add_metric_suffixes: false },
  'namespace with a digit, without suffixes': { namespace: '1shop', add_metric_suffixes: false },
  'namespace beyond ASCII, no translation': { namespace: 'café', translation_strategy: 'NoTranslation' },
  const_labels: { const_labels: { zone: 'eu', zz: 'a"b' } },
  send_timestamps: { send_timestamps: true },
  'without suffixes': { add_metric_suffixes: false },
  'without suffixes and with a strategy that has them': {
    add_metric_suffixes: false,
    translation_strategy: 'UnderscoreEscapingWithSuffixes',
  },
  'with suffixes and with a strategy that has none': {
    add_metric_suffixes: true,
    translation_strategy: 'UnderscoreEscapingWithoutSuffixes',
  },
  everything: {
    namespace: 'n',
    const_labels: { zone: 'eu' },
    send_timestamps: true,
    resource_to_telemetry_conversion: { enabled: true },
  },
};

const resource = { 'service.name': 'shop', 'service.instance.id': 'i1', 'host.name': 'h1' };

export const optionCases: readonly ConformanceCase[] = [
  ...Object.entries(OPTIONS).map(([what, config]) => ({
    name: `options: ${what}`,
    config,
    requests: [[from(resource, { name: 'lib', version: '1' }, list)]],
  })),
  {
    name: 'send_timestamps: without a time',
    config: { send_timestamps: true, without_scope_info: true },
    requests: [metrics(gauge('g', [{ value: 1, time: -Infinity }]))],
    differs: { id: 'prometheus-no-time', page: ['# HELP g ', '# TYPE g gauge', 'g 1'] },
  },
  {
    name: 'send_timestamps: fractions of a second',
    config: { send_timestamps: true, without_scope_info: true },
    requests: [metrics(gauge('g', [{ value: 1, time: 10.1239 }]))],
  },
];
