import { metrics, type ConformanceCase } from '../conformance-case.ts';
import { counter, gauge, histogram, type Json } from '../otlp-json.ts';
import { spanMetrics, spans, type Span } from './span-metrics.ts';

/** The name of a span shows whether it was kept. */
const SPANS: readonly Span[] = [
  { name: 'health', kind: 2, attributes: { 'http.route': '/healthz', n: 5 } },
  { name: 'failed', kind: 3, status: 2, attributes: { n: 7, ok: true } },
  { name: 'inner', kind: 1, attributes: { text: '5', 'http.route': '/' } },
];

const SPAN_CONDITIONS = [
  'name == "health"',
  'name != "health" and kind != SPAN_KIND_INTERNAL',
  'span.name == "health" or span.status.code == STATUS_CODE_ERROR',
  'not (name == "health")',
  'not name == "health" and kind == 1',
  'attributes["http.route"] == nil',
  'attributes["http.route"] != nil',
  'attributes["n"] > 5',
  'attributes["n"] >= 5.0',
  'attributes["n"] < 5.5',
  'attributes["text"] == 5',
  'attributes["text"] != 5',
  'attributes["ok"] == true',
  'attributes["missing"] < 5',
  'attributes["missing"] <= nil',
  'name < "g"',
  'IsMatch(name, "^(?i)HEAL")',
  'IsMatch(attributes["n"], "^5$")',
  'IsMatch(attributes["ok"], "tru")',
  'IsMatch(attributes["missing"], "")',
  'IsRootSpan() and kind == SPAN_KIND_SERVER',
  'resource.attributes["service.name"] == "shop" and name == "inner"',
  'trace_id.string == "0af7651916cd43dd8448eb211c80319c" and span_id.string == "0000000000000002"',
];

const METRICS = metrics(
  gauge('level', [
    { value: 1, attributes: { k: 'a' } },
    { value: 2.5, attributes: { k: 'b' } },
  ]),
  counter('count', [{ value: 3, attributes: { k: 'a', bad: 'true' } }], { unit: 's', help: 'text' }),
  histogram('duration', [{ count: 3n, counts: [1n, 2n], bounds: [1], sum: 2, attributes: { k: 'c' } }]),
);

const METRIC_CONDITIONS: readonly (readonly ['metric' | 'datapoint' | 'resource', string])[] = [
  ['metric', 'name == "level"'],
  ['metric', 'type == METRIC_DATA_TYPE_HISTOGRAM'],
  ['metric', 'metric.type == METRIC_DATA_TYPE_SUM and unit == "s" and description == "text"'],
  ['metric', 'HasAttrKeyOnDatapoint("bad")'],
  ['metric', 'HasAttrOnDatapoint("k", "a")'],
  ['metric', 'IsMatch(name, "[lt]$")'],
  ['datapoint', 'attributes["k"] == "a"'],
  ['datapoint', 'metric.name == "level" and value_double > 2.0'],
  ['datapoint', 'value_int == 0'],
  ['datapoint', 'value_int == nil'],
  ['datapoint', 'attributes["k"] != nil'],
  ['resource', 'attributes["service.name"] == nil'],
];

type Options = { readonly [option: string]: Json };

function filtered(condition: string, options: Options): ConformanceCase {
  const counted = spanMetrics(`filter: ${condition}`, [spans(SPANS)], { histogram: { disable: true } });
  return { ...counted, processors: { filter: options } };
}

export const filterCases: readonly ConformanceCase[] = [
  ...SPAN_CONDITIONS.map((condition) => filtered(condition, { traces: { span: [condition] } })),
  ...['span.name == "health"', 'resource.attributes["service.name"] == "shop"'].map((condition) =>
    filtered(`trace_conditions ${condition}`, { trace_conditions: [condition] }),
  ),
  ...METRIC_CONDITIONS.map(([context, condition]) => ({
    name: `filter: ${context} ${condition}`,
    requests: [METRICS],
    processors: { filter: { metrics: { [context]: [condition] } } },
  })),
];
