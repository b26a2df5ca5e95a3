/** The settings file of the rules: the targets of links, and the limits of alerts. */
import { load, YAMLException } from 'js-yaml';
import type { Threshold } from '../threshold.ts';
import { highestValue } from '../promql/highest-value.ts';
import type { Duration } from '../promql/node.ts';
import { severities, type Alert, type Severity } from './alert.ts';

export interface Links {
  /** Where Grafana is, as in a browser. */
  readonly grafana: string;
  /** The folder of all runbooks; undefined: where each pack has its own. */
  readonly runbooks: string | undefined;
  /** Undefined where nothing is sent there. */
  readonly sentry: string | undefined;
}

export interface AlertSettings {
  readonly isOff?: boolean;
  /** In the unit of the threshold; `off`: this severity is not raised. */
  readonly limits: Readonly<Partial<Record<Severity, number | 'off'>>>;
  readonly for?: Duration;
}

export interface RuleSettings {
  readonly links: Links;
  readonly alerts: Readonly<Record<string, AlertSettings>>;
}

export const defaultLinks: Links = {
  grafana: 'http://127.0.0.1:3000',
  runbooks: undefined,
  sentry: 'https://sentry.io',
};

export const defaultSettings: RuleSettings = { links: defaultLinks, alerts: {} };

/** Its message names every problem of the file. */
export class SettingsError extends Error {
  override readonly name = 'SettingsError';
}

/**
 * Reads the file of a user.
 *
 * @param defaults the links that the file does not set.
 * @throws SettingsError
 */
export function readSettings(text: string, alerts: readonly Alert[], defaults = defaultLinks): RuleSettings {
  const problems: string[] = [];
  const { links, alerts: changed, ...rest } = mapping(parse(text), '', problems);
  unknownKeys(rest, { where: '', known: ['links', 'alerts'] }, problems);
  const settings = {
    links: { ...defaults, ...linksOf(links, problems) },
    alerts: alertSettings(changed, alerts, problems),
  };
  if (problems.length > 0) throw new SettingsError(problems.join('\n'));
  return settings;
}

function parse(text: string): unknown {
  try {
    return load(text);
  } catch (error) {
    if (!(error instanceof YAMLException)) throw error;
    throw new SettingsError(`is not valid YAML: ${error.reason}`, { cause: error });
  }
}

function linksOf(value: unknown, problems: string[]): Partial<Links> {
  const given = mapping(value, 'links', problems);
  const known = Object.keys(defaultLinks);
  unknownKeys(given, { where: 'links', known }, problems);
  for (const key of known.filter((one) => given[one] !== undefined)) {
    if (!isWebAddress(given[key])) {
      problems.push(`links.${key} must be an address such as https://grafana.example.com`);
    }
  }
  const addresses = Object.entries(given).map(([key, address]) => [key, String(address).replace(/\/+$/, '')]);
  return Object.fromEntries(addresses) as Partial<Links>;
}

export function isWebAddress(value: unknown): value is string {
  const url = typeof value === 'string' ? URL.parse(value) : null;
  return url !== null && ['http:', 'https:'].includes(url.protocol);
}

function alertSettings(value: unknown, alerts: readonly Alert[], problems: string[]): RuleSettings['alerts'] {
  const given = Object.entries(mapping(value, 'alerts', problems));
  return Object.fromEntries(
    given.map(([name, changes]) => {
      const alert = alerts.find((one) => one.name === name);
      if (alert === undefined) problems.push(`alerts.${name}: unknown alert`);
      return [name, alert === undefined ? { limits: {} } : settingsOf(alert, changes, problems)];
    }),
  );
}

function settingsOf(alert: Alert, changes: unknown, problems: string[]): AlertSettings {
  if (changes === false) return { isOff: true, limits: {} };
  const where = `alerts.${alert.name}`;
  const given = mapping(changes, where, problems);
  unknownKeys(given, { where, known: ['for', ...severities] }, problems);
  const limits = Object.fromEntries(
    severities
      .filter((severity) => given[severity] !== undefined)
      .map((severity) => [severity, limitOf(given[severity], `${where}.${severity}`, problems)]),
  );
  const { for: waits } = given;
  if (waits !== undefined && !isDuration(waits)) problems.push(`${where}.for must be a duration such as 90s, 5m or 1h`);
  const settings: AlertSettings = { limits, ...(isDuration(waits) && { for: waits }) };
  if (Object.keys(limits).length === 0) return settings;
  if ('threshold' in alert.raisedBy) limitProblems(alert, settings, problems);
  else problems.push(`${where} has no threshold, so its limits cannot be changed`);
  return settings;
}

function isDuration(value: unknown): value is Duration {
  return typeof value === 'string' && /^\d+(s|m|h|d|w)$/.test(value);
}

function limitOf(value: unknown, where: string, problems: string[]): number | 'off' {
  if (value === false || value === 'off') return 'off';
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  problems.push(`${where} must be a number or off, but is ${typeof value === 'number' ? value : kindOf(value)}`);
  return 'off';
}

function limitProblems(alert: Alert, settings: AlertSettings, problems: string[]): void {
  const where = `alerts.${alert.name}`;
  const limits = limitsOf(alert, settings);
  for (const severity of unreachable(alert, limits)) {
    problems.push(
      `${where}.${severity} must be at most ${highestValue(alert.measured.node)}, the last bound of the histogram, but is ${limits[severity]}: a quantile never exceeds it`,
    );
  }
  const { bad, warning, critical } = limits;
  if (warning === undefined || critical === undefined) return;
  const isOrdered = bad === 'above' ? warning < critical : warning > critical;
  if (!isOrdered) problems.push(`${where}: critical (${critical}) must be worse than warning (${warning})`);
}

/** Severities that are never raised, since what is measured cannot be as bad as that. */
export function unreachable({ measured }: Alert, { bad, ...limits }: Threshold): readonly Severity[] {
  const highest = highestValue(measured.node);
  if (bad === 'below' || highest === undefined) return [];
  return severities.filter((severity) => (limits[severity] ?? highest) > highest);
}

/** The limits of an alert with a threshold, as the user wants them. */
export function limitsOf(alert: Alert, { limits }: AlertSettings): Threshold {
  if (!('threshold' in alert.raisedBy)) throw new TypeError(`${alert.name} has no threshold`);
  const { warning, critical, ...rest } = alert.raisedBy.threshold;
  const wanted = { warning: limits.warning ?? warning, critical: limits.critical ?? critical };
  const kept = Object.entries(wanted).filter(([, limit]) => typeof limit === 'number');
  return { ...rest, ...(Object.fromEntries(kept) as Pick<Threshold, Severity>) };
}

function mapping(value: unknown, where: string, problems: string[]): Readonly<Record<string, unknown>> {
  if (value === undefined || value === null) return {};
  if (typeof value === 'object' && !Array.isArray(value)) return value as Readonly<Record<string, unknown>>;
  problems.push(`${where === '' ? 'the file' : where} must be a mapping, but is ${kindOf(value)}`);
  return {};
}

function unknownKeys(
  given: Readonly<Record<string, unknown>>,
  { where, known }: { readonly where: string; readonly known: readonly string[] },
  problems: string[],
): void {
  for (const key of Object.keys(given).filter((one) => !known.includes(one))) {
    problems.push(`${where === '' ? '' : `${where}.`}${key} is unknown; known are ${known.join(', ')}`);
  }
}

function kindOf(value: unknown): string {
  return Array.isArray(value) ? 'a list' : `a ${typeof value}`;
}
