import { metrics, type ConformanceCase } from '../conformance-case.ts';
import { counter, from, gauge, histogram, sum, summary } from '../otlp-json.ts';

const BUCKETS = { bounds: [1], counts: [0n, 1n], count: 1n, sum: 3 };

const SHOP = { 'service.name': 'shop' };

/** Metrics and labels that get the same name, and their text on the page. */
export const conflictCases: readonly ConformanceCase[] = [
  {
    name: 'labels that collide',
    requests: [metrics(gauge('g', [{ attributes: { 'a.b': 'x', a_b: 'y' }, value: 1 }]), gauge('h', [{ value: 1 }]))],
    differs: {
      id: 'prometheus-label-collision',
      page: ['# HELP g ', '# TYPE g gauge', 'g{a_b="x;y"} 1', '# HELP h ', '# TYPE h gauge', 'h 1'],
    },
  },
  {
    name: 'a histogram with the attribute le',
    requests: [metrics(histogram('h', [{ ...BUCKETS, attributes: { le: 'x' } }]))],
    differs: {
      id: 'prometheus-reserved-label',
      page: [
        '# HELP h ',
        '# TYPE h histogram',
        'h_bucket{exported_le="x",le="1"} 0',
        'h_bucket{exported_le="x",le="+Inf"} 1',
        'h_sum{exported_le="x"} 3',
        'h_count{exported_le="x"} 1',
      ],
    },
  },
  {
    name: 'a summary with the attribute quantile',
    requests: [metrics(summary('s', [{ count: 1n, sum: 2, quantiles: [[0.5, 1]], attributes: { quantile: 'x' } }]))],
    differs: {
      id: 'prometheus-reserved-label',
      page: [
        '# HELP s ',
        '# TYPE s summary',
        's{exported_quantile="x",quantile="0.5"} 1',
        's_sum{exported_quantile="x"} 2',
        's_count{exported_quantile="x"} 1',
      ],
    },
  },
  {
    name: 'attributes named as the labels of the target',
    requests: [
      [
        from(SHOP, {}, [
          gauge('g', [{ attributes: { job: 'x', instance: 'y' }, value: 1 }]),
          gauge('h', [{ value: 1 }]),
        ]),
      ],
    ],
    differs: {
      id: 'prometheus-own-label',
      page: [
        '# HELP g ',
        '# TYPE g gauge',
        'g{exported_job="x",instance="y",job="shop"} 1',
        '# HELP h ',
        '# TYPE h gauge',
        'h{job="shop"} 1',
      ],
    },
  },
  {
    name: 'attributes named as the labels of the target, on the resource',
    config: { without_scope_info: true, resource_to_telemetry_conversion: { enabled: true } },
    requests: [[from({ ...SHOP, job: 'x' }, {}, [gauge('g', [{ value: 1 }])])]],
    differs: {
      id: 'prometheus-own-label',
      page: ['# HELP g ', '# TYPE g gauge', 'g{exported_job="x",job="shop",service_name="shop"} 1'],
    },
  },
  {
    name: 'attributes named as the labels of the scope',
    config: {},
    requests: [[from({}, { name: 'lib' }, [gauge('g', [{ attributes: { otel_scope_name: 'x' }, value: 1 }])])]],
    differs: {
      id: 'prometheus-own-label',
      page: [
        '# HELP g ',
        '# TYPE g gauge',
        'g{exported_otel_scope_name="x",otel_scope_name="lib",otel_scope_schema_url="",otel_scope_version=""} 1',
      ],
    },
  },
  {
    name: 'attributes named as a constant label',
    config: { without_scope_info: true, const_labels: { zone: 'eu' } },
    requests: [metrics(gauge('g', [{ attributes: { zone: 'x' }, value: 1 }]))],
    differs: { id: 'prometheus-own-label', page: ['# HELP g ', '# TYPE g gauge', 'g{exported_zone="x",zone="eu"} 1'] },
  },
  {
    name: 'types: a gauge, then a counter of the same name',
    stockIsRandom: true,
    requests: [metrics(gauge('same_total', [{ value: 1 }])), metrics(counter('same', [{ value: 2 }]))],
    differs: {
      id: 'prometheus-type-conflict',
      page: ['# HELP same_total ', '# TYPE same_total gauge', 'same_total 1'],
    },
  },
  {
    name: 'types: a gauge and a non-monotonic sum of the same name',
    requests: [
      metrics(gauge('g', [{ attributes: { a: 'x' }, value: 1 }])),
      metrics(sum('g', [{ attributes: { a: 'y' }, value: 2 }], { monotonic: false })),
    ],
  },
  {
    name: 'names: two that come to one, other attributes',
    requests: [
      metrics(
        gauge('a.b', [{ attributes: { k: '1' }, value: 1 }]),
        gauge('a_b', [{ attributes: { k: '2' }, value: 2 }]),
      ),
    ],
  },
  {
    name: 'units: two that come to one name',
    requests: [
      metrics(
        gauge('g', [{ attributes: { k: '1' }, value: 1 }], { unit: 's' }),
        gauge('g_seconds', [{ attributes: { k: '2' }, value: 2 }]),
      ),
    ],
  },
  {
    name: 'units: the same name with two units',
    requests: [metrics(gauge('g', [{ value: 1 }], { unit: 's' }), gauge('g', [{ value: 2 }], { unit: 'ms' }))],
    differs: {
      id: 'prometheus-unit-change',
      page: [
        '# HELP g_milliseconds ',
        '# TYPE g_milliseconds gauge',
        'g_milliseconds 2',
        '# HELP g_seconds ',
        '# TYPE g_seconds gauge',
        'g_seconds 1',
      ],
    },
  },
  {
    name: 'help: kept from the first',
    requests: [
      metrics(gauge('g', [{ value: 1 }], { help: 'one' })),
      metrics(gauge('g', [{ value: 2, time: 20 }], { help: 'two' })),
    ],
    differs: { id: 'prometheus-first-help', page: ['# HELP g one', '# TYPE g gauge', 'g 2'] },
  },
  {
    name: 'help: with everything that must be escaped',
    requests: [metrics(gauge('g', [{ value: 1 }], { help: 'say "hi"\\n\n\ttab \u{1F600}' }))],
  },
  { name: 'help: long', requests: [metrics(gauge('g', [{ value: 1 }], { help: 'word '.repeat(500) }))] },
  { name: 'help: spaces at both ends', requests: [metrics(gauge('g', [{ value: 1 }], { help: '  x  ' }))] },
];
