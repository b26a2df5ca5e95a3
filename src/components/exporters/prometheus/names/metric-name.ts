import { NUL } from './label-name.ts';
import type { MetricType } from './metric-type.ts';
import type { Naming } from './naming.ts';
import { unitSuffixes } from './unit-name.ts';

/**
 * The Prometheus name of a metric, as the stock Collector translates it; undefined if nothing valid remains.
 * https://opentelemetry.io/docs/specs/otel/compatibility/prometheus_and_openmetrics/#metric-metadata-1
 */
export function metricName(name: string, unit: string, type: MetricType, naming: Naming): string | undefined {
  if (naming.utf8) {
    const verbatim = verbatimName(name, unit, type, naming);
    return verbatim === '' || verbatim.includes(NUL) ? undefined : verbatim;
  }
  const translated = naming.suffixes ? suffixedName(name, unit, type, naming) : plainName(name, naming.namespace);
  if (translated === '' || (translated !== name && /^_+$/.test(translated))) return undefined;
  return translated;
}

/** The unit as in metric names: `bytes_per_second`. Empty if it adds nothing to the name. */
export function unitText(unit: string): string {
  const { main, per } = unitSuffixes(unit);
  return [main, per].map(clean).filter(Boolean).join('_');
}

function suffixedName(name: string, unit: string, type: MetricType, { namespace }: Naming): string {
  const tokens = withUnit(name.split(/[^A-Za-z0-9:]+/).filter(Boolean), unit);
  const suffix = typeSuffix(unit, type);
  const named = suffix === '' ? tokens : [...tokens.filter((token) => token !== suffix), suffix];
  return withLegalStart((namespace === '' ? named : [namespace, ...named]).join('_'));
}

function plainName(name: string, namespace: string): string {
  return withLegalStart([joinLegal(namespace), joinLegal(name)].filter(Boolean).join('_'));
}

function joinLegal(text: string): string {
  return text
    .split(/[^A-Za-z0-9:_]+/)
    .filter(Boolean)
    .join('_');
}

/** UTF-8 names keep every character. Suffixes are still moved to the end. */
function verbatimName(name: string, unit: string, type: MetricType, { namespace, suffixes }: Naming): string {
  const full = namespace === '' ? name : `${namespace}_${name}`;
  if (!suffixes) return full;
  const suffix = typeSuffix(unit, type);
  const { main, per } = unitSuffixes(unit);
  let stem = suffix === '' ? full : withoutSuffix(full, suffix);
  if (per !== '') stem = withoutSuffix(stem, per);
  if (main !== '' && !stem.endsWith(main)) stem += `_${main}`;
  return [stem, per, suffix].filter(Boolean).join('_');
}

function withUnit(tokens: readonly string[], unit: string): string[] {
  const suffixes = unitSuffixes(unit);
  const per = clean(suffixes.per) === 'per_' ? '' : clean(suffixes.per).replace(/_$/, '');
  const perToken = tokens.includes(per) ? '' : per;
  const main = tokens.includes(clean(suffixes.main)) ? '' : clean(suffixes.main);
  return [...tokens, perToken === '' ? main : main.replace(/_$/, ''), perToken].filter(Boolean);
}

function typeSuffix(unit: string, type: MetricType): string {
  if (type === 'counter') return 'total';
  return unit === '1' && type === 'gauge' ? 'ratio' : '';
}

function clean(unit: string): string {
  return unit
    .replaceAll(/[^A-Za-z0-9:]/gu, '_')
    .replaceAll(/_+/g, '_')
    .replace(/^_/, '');
}

function withoutSuffix(name: string, suffix: string): string {
  return name.endsWith(suffix) && name.length > suffix.length + 1 ? name.slice(0, -suffix.length - 1) : name;
}

function withLegalStart(name: string): string {
  return /^[0-9]/.test(name) ? `_${name}` : name;
}
