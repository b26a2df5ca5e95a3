/** The alerts of rules, as the sidecar answers them below `/api/v1/rules`, in the order in which a reader needs them. */

/** The answer of the API, as far as it is shown. */
export interface RulesAnswer {
  readonly groups: readonly { readonly name: string; readonly rules: readonly ShownRule[] }[];
}

/** The answer to a reader where no rules run. */
export const NO_RULES =
  'No rules run: `rules: {}` in the extension metrics_history evaluates the alerts of the packs here. siphon dev has no file for it: siphon init writes one for siphon run';

export interface ShownRule {
  readonly type: 'alerting' | 'recording';
  readonly name: string;
  readonly query: string;
  readonly health: string;
  readonly lastError?: string;
  /** How many seconds the rule reads back, and how many there are, where these are fewer. */
  readonly reach?: number;
  readonly seen?: number;
  readonly labels?: Labels;
  readonly alerts?: readonly ShownAlert[];
}

export interface ShownAlert {
  readonly labels: Labels;
  readonly annotations: Labels;
  readonly state: string;
  readonly activeAt: string;
  /** Since when the value is fine again, or missing. */
  readonly keepFiringSince?: string;
  readonly value: string;
}

type Labels = Readonly<Record<string, string>>;

export interface ListedAlert extends ShownAlert {
  readonly rule: ShownRule;
}

export interface AlertList {
  /** Firing ones first, then pending ones; the severe and the new ones first. An alert that proves that alerts work comes last. */
  readonly alerts: readonly ListedAlert[];
  /** Rules without a verdict: they fail, or cannot be evaluated here. */
  readonly broken: readonly ShownRule[];
  /** Rules that read further back than there are samples. */
  readonly young: readonly ShownRule[];
  /** The alerting rules. */
  readonly rules: number;
}

const SEVERITIES = ['critical', 'warning'];

export function alertList({ groups }: RulesAnswer): AlertList {
  const rules = groups.flatMap((group) => group.rules);
  const alerts = rules.flatMap((rule) => (rule.alerts ?? []).map((alert) => ({ ...alert, rule })));
  return {
    alerts: alerts.toSorted((a, b) => compareRanks(rankOf(a), rankOf(b))),
    broken: rules.filter(({ lastError }) => lastError !== undefined),
    young: rules.filter(({ reach, lastError }) => reach !== undefined && lastError === undefined),
    rules: rules.filter(({ type }) => type === 'alerting').length,
  };
}

/** The labels that distinguish alerts of one rule. */
export function ownLabels({ labels, rule }: ListedAlert): readonly (readonly [name: string, value: string])[] {
  return Object.entries(labels).filter(([name]) => name !== 'alertname' && rule.labels?.[name] !== labels[name]);
}

/** Alertmanager's form for a new silence, filled in for this alert. @param server the address of an Alertmanager. */
export function silenceAddress(server: string, { labels }: Pick<ShownAlert, 'labels'>): string {
  const matchers = Object.entries(labels).map(([name, value]) => `${name}=${JSON.stringify(value)}`);
  return `${server}/#/silences/new?filter=${encodeURIComponent(`{${matchers.join(',')}}`)}`;
}

function rankOf({ state, labels: { severity = '' }, activeAt }: ListedAlert): readonly number[] {
  const known = SEVERITIES.indexOf(severity);
  return [
    Number(severity === 'none'),
    Number(state !== 'firing'),
    known < 0 ? SEVERITIES.length : known,
    -Date.parse(activeAt),
  ];
}

function compareRanks(a: readonly number[], b: readonly number[]): number {
  const index = a.findIndex((rank, at) => rank !== b[at]);
  return index < 0 ? 0 : (a[index] as number) - (b[index] as number);
}
