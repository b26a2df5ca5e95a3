/** The paths of Prometheus's HTTP API, version 1. Each answers the text of `data`. */
import type { MetricMetadata } from '../../../../engine/metric-history.ts';
import { evaluateAt, evaluateOver, type EvaluationSettings } from '../../../../promql/evaluate.ts';
import { Budget, SERIES_STEPS, type Steps } from '../../../../promql/budget.ts';
import { keyOf, type Labels } from '../../../../promql/labels.ts';
import type { Matcher } from '../../../../promql/matcher.ts';
import { PromqlError } from '../../../../promql/promql-error.ts';
import type { SeriesSource } from '../../../../promql/series-source.ts';
import { selectorsIn } from '../../../../promql/syntax/expression.ts';
import { parsePromql } from '../../../../promql/syntax/parse-promql.ts';
import type { Rules } from '../rules/rules.ts';
import type { StoredExemplar } from '../store/exemplar-list.ts';
import type { History } from '../store/history.ts';
import { exemplarsText, instantText, listText, matrixText } from './answer-text.ts';
import { samplesText } from './samples-text.ts';
import { alertsText, rulesText } from './rules-text.ts';
import { required, stepMs, timeMs } from './parameters.ts';
import { jsonText } from '../../../../engine/json-text.ts';

export interface ApiContent {
  readonly history: History;
  /** The history, and what rules have written. */
  readonly source: SeriesSource;
  /** Undefined if no rules run. */
  readonly rules: Rules | undefined;
  /** The addresses that alerts are sent to, without those that are secret. */
  readonly alertmanagers: readonly string[];
  readonly metadata: () => readonly MetricMetadata[];
  readonly settings: EvaluationSettings;
  readonly version: string;
}

export type Route = (content: ApiContent, parameters: URLSearchParams) => Steps<string>;

/** The version whose queries have the same answers. */
const PROMETHEUS_VERSION = '2.42.0';

const ROUTES: Readonly<Record<string, Route>> = {
  query,
  query_range: queryRange,
  series,
  labels: labelNames,
  metadata: (content, parameters) => fixed(metadataText(content, parameters)),
  'status/buildinfo': ({ version }) => fixed(buildInfoText(version)),
  query_exemplars: queryExemplars,
  samples,
  rules: ({ rules }, parameters) => rulesText(rules, parameters),
  alerts: ({ rules }) => alertsText(rules),
  alertmanagers: ({ alertmanagers }) => fixed(alertmanagersText(alertmanagers)),
};

/** The beginning of all paths. */
export const PREFIX = '/api/v1/';

/** Undefined for another path. */
export function routeOf(path: string): Route | undefined {
  if (!path.startsWith(PREFIX)) return undefined;
  const name = path.slice(PREFIX.length);
  const label = /^label\/([^/]+)\/values$/.exec(name)?.[1];
  if (label !== undefined) return (content, parameters) => labelValues(label, content, parameters);
  return Object.hasOwn(ROUTES, name) ? ROUTES[name] : undefined;
}

/** The path is that of Prometheus, to which it adds the path of Alertmanager's API. */
function alertmanagersText(addresses: readonly string[]): string {
  return jsonText({
    activeAlertmanagers: addresses.map((address) => ({ url: `${address}/api/v2/alerts` })),
    droppedAlertmanagers: [],
  });
}

function* query({ source, settings }: ApiContent, parameters: URLSearchParams): Steps<string> {
  const atMs = timeMs(parameters, 'time', Date.now());
  const result = yield* evaluateAt(required(parameters, 'query'), atMs, source, settings);
  return yield* instantText(result, atMs);
}

function* queryRange({ source, settings }: ApiContent, parameters: URLSearchParams): Steps<string> {
  for (const name of ['start', 'end']) required(parameters, name);
  const steps = {
    startMs: timeMs(parameters, 'start', NaN),
    endMs: timeMs(parameters, 'end', NaN),
    stepMs: stepMs(parameters, 'step'),
  };
  return yield* matrixText(yield* evaluateOver(required(parameters, 'query'), steps, source, settings));
}

function* queryExemplars({ history, settings }: ApiContent, parameters: URLSearchParams): Steps<string> {
  const time = {
    fromMs: timeMs(parameters, 'start', Number.MIN_SAFE_INTEGER),
    toMs: timeMs(parameters, 'end', Number.MAX_SAFE_INTEGER),
  };
  const budget = new Budget(settings);
  const found = new Map<string, { readonly labels: Labels; readonly exemplars: readonly StoredExemplar[] }>();
  for (const { matchers } of selectorsIn(yield* parsePromql(required(parameters, 'query'), budget))) {
    for (const one of yield* history.select(matchers, time, budget)) {
      const exemplars = one.exemplars(time);
      if (exemplars.length > 0) found.set(keyOf(one.labels), { labels: one.labels, exemplars });
      if (budget.spend(SERIES_STEPS)) yield;
    }
    budget.checkSeries(found.size);
  }
  return yield* exemplarsText([...found.values()]);
}

/** Not a path of Prometheus: with the ends of series, so that an evaluation of these samples has the same values. */
function* samples({ source, settings }: ApiContent, parameters: URLSearchParams): Steps<string> {
  const time = {
    fromMs: timeMs(parameters, 'start', Number.MIN_SAFE_INTEGER),
    toMs: timeMs(parameters, 'end', Number.MAX_SAFE_INTEGER),
  };
  const budget = new Budget(settings);
  const matchers = yield* matchersOf(required(parameters, 'match[]'), budget);
  return yield* samplesText(yield* source.select(matchers, time, budget), time, { settings, budget });
}

function* series(content: ApiContent, parameters: URLSearchParams): Steps<string> {
  if (!parameters.has('match[]')) throw new PromqlError('bad_data', 'the parameter match[] is missing');
  const found = yield* selected(content, parameters);
  return yield* listText(found, (labels) => jsonText(Object.fromEntries(labels)));
}

function* labelNames(content: ApiContent, parameters: URLSearchParams): Steps<string> {
  const names = new Set<string>();
  for (const labels of yield* selected(content, parameters)) for (const name of labels.keys()) names.add(name);
  return jsonText([...names].toSorted());
}

function* labelValues(label: string, content: ApiContent, parameters: URLSearchParams): Steps<string> {
  const values = new Set<string>();
  for (const labels of yield* selected(content, parameters)) {
    const value = labels.get(label);
    if (value !== undefined) values.add(value);
  }
  return jsonText([...values].toSorted());
}

/** The labels of all series that fit one of the selectors; without selectors, of all series. */
function* selected({ source, settings }: ApiContent, parameters: URLSearchParams): Steps<readonly Labels[]> {
  const time = {
    fromMs: timeMs(parameters, 'start', Number.MIN_SAFE_INTEGER),
    toMs: timeMs(parameters, 'end', Number.MAX_SAFE_INTEGER),
  };
  const selectors = parameters.getAll('match[]');
  if (selectors.length > MAX_SELECTORS) {
    throw new PromqlError('bad_data', `there are more than ${MAX_SELECTORS} selectors in match[]`);
  }
  const budget = new Budget(settings);
  const found = new Map<string, Labels>();
  for (const text of selectors.length === 0 ? [undefined] : selectors) {
    const matchers = text === undefined ? [] : yield* matchersOf(text, budget);
    for (const { labels } of yield* source.select(matchers, time, budget)) {
      found.set(keyOf(labels), labels);
      if (budget.spend(SERIES_STEPS)) yield;
    }
    budget.checkSeries(found.size);
  }
  return [...found.values()];
}

/** Each one is searched for among all series. */
const MAX_SELECTORS = 100;

function* matchersOf(text: string, budget: Budget): Steps<readonly Matcher[]> {
  const expression = yield* parsePromql(text, budget);
  if (expression.kind !== 'selector') throw new PromqlError('bad_data', `match[] must be a selector: ${text}`);
  return expression.matchers;
}

function metadataText({ metadata: all }: ApiContent, parameters: URLSearchParams): string {
  const wanted = parameters.get('metric');
  const limit = Number(parameters.get('limit') ?? Infinity);
  const entries = all()
    .filter(({ name }) => wanted === null || wanted === '' || name === wanted)
    .slice(0, Math.max(0, limit))
    .map(({ name, type, help }) => [name, [{ type, help, unit: '' }]] as const);
  return jsonText(Object.fromEntries(entries));
}

function buildInfoText(version: string): string {
  return jsonText({
    version: PROMETHEUS_VERSION,
    revision: `siphon ${version}`,
    branch: '',
    buildUser: '',
    buildDate: '',
    goVersion: '',
  });
}

function* fixed(text: string): Steps<string> {
  yield;
  return text;
}
