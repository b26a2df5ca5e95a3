import { alertKey, type Alert } from '../../../../rules/alert-states.ts';
import { GROUP_INTERVAL_MS, GROUP_LABELS, isHeldBack, routeOf, type Route } from './routing.ts';

/** A group with what its readers know. */
export interface SavedGroup {
  readonly alerts: readonly GroupedAlert[];
  readonly sent:
    | { readonly firing: ReadonlySet<string>; readonly over: ReadonlySet<string>; readonly atMs: number }
    | undefined;
  readonly dueMs: number;
}

/** Decides when which alerts have a message, as Alertmanager does with the shipped routes. Times are Unix milliseconds. */
export class AlertGroups {
  readonly #groups = new Map<string, AlertGroup>();

  /** @param alerts all alerts of the rules. */
  update(alerts: readonly Alert[], nowMs: number): void {
    const firing = alerts.filter(({ state }) => state === 'firing').map(({ labels }) => labels);
    const seen = new Set<string>();
    for (const alert of alerts) {
      const route = routeOf(alert.labels);
      if (route === undefined || alert.state === 'pending') continue;
      const key = groupKey(alert);
      const group = this.#groups.get(key) ?? new AlertGroup(route, nowMs);
      group.set({ alert, isFiring: alert.state === 'firing', isHeldBack: isHeldBack(alert.labels, firing) });
      if (!group.isEmpty) this.#groups.set(key, group);
      seen.add(alertKey(alert));
    }
    for (const group of this.#groups.values()) group.endOthers(seen);
  }

  get saved(): readonly SavedGroup[] {
    return [...this.#groups.values()].map(({ saved }) => saved);
  }

  /** Continues the groups of an earlier process. */
  restore(groups: readonly SavedGroup[], nowMs: number): void {
    for (const saved of groups) {
      const first = saved.alerts[0]?.alert;
      const route = first && routeOf(first.labels);
      if (route !== undefined) this.#groups.set(groupKey(first as Alert), AlertGroup.restored(saved, route, nowMs));
    }
  }

  /** When the next group is due; undefined without groups. */
  get nextMs(): number | undefined {
    const times = [...this.#groups.values()].map(({ dueMs }) => dueMs);
    return times.length === 0 ? undefined : times.reduce((a, b) => Math.min(a, b));
  }

  /** The groups that are due. */
  due(nowMs: number): readonly AlertGroup[] {
    for (const [key, group] of this.#groups) if (group.isEmpty) this.#groups.delete(key);
    return [...this.#groups.values()].filter(({ dueMs }) => dueMs <= nowMs);
  }
}

function groupKey({ labels }: Alert): string {
  return JSON.stringify(GROUP_LABELS.map((label) => labels.get(label) ?? ''));
}

interface GroupedAlert {
  readonly alert: Alert;
  readonly isFiring: boolean;
  /** True while another alert explains it. */
  readonly isHeldBack: boolean;
}

/** Alerts that share a message: those that fire, and those that are over since the last message. */
export class AlertGroup {
  readonly #route: Route;
  readonly #alerts = new Map<string, GroupedAlert>();
  #sent: SavedGroup['sent'];
  /** The alerts that were over when the message was made: others end while it is sent. */
  #ended: readonly string[] = [];
  dueMs: number;

  constructor(route: Route, nowMs: number) {
    this.#route = route;
    this.dueMs = nowMs + route.waitMs;
  }

  /** A clock that was set back delays no message. */
  static restored({ alerts, sent, dueMs }: SavedGroup, route: Route, nowMs: number): AlertGroup {
    const group = new AlertGroup(route, nowMs);
    for (const one of alerts) group.#alerts.set(alertKey(one.alert), one);
    group.#sent = sent;
    group.dueMs = Math.min(dueMs, nowMs + GROUP_INTERVAL_MS);
    return group;
  }

  get saved(): SavedGroup {
    return { alerts: [...this.#alerts.values()], sent: this.#sent, dueMs: this.dueMs };
  }

  get isEmpty(): boolean {
    return this.#alerts.size === 0;
  }

  /** An alert that is over is of interest only if it has been here before. */
  set(one: GroupedAlert): void {
    const key = alertKey(one.alert);
    if (one.isFiring || this.#alerts.has(key)) this.#alerts.set(key, one);
  }

  /** Alerts end that no rule has any more. */
  endOthers(known: ReadonlySet<string>): void {
    for (const [key, one] of this.#alerts) if (!known.has(key)) this.#alerts.set(key, { ...one, isFiring: false });
  }

  /** The alerts of the message that is due now; empty if readers know them already. */
  message(nowMs: number): readonly GroupedAlert[] {
    this.#ended = [...this.#alerts].flatMap(([key, { isFiring }]) => (isFiring ? [] : [key]));
    const alerts = [...this.#alerts.values()].filter((one) => !one.isHeldBack);
    const { firing, over } = keysOf(alerts);
    const { firing: knownFiring = NONE, over: knownOver = NONE, atMs = 0 } = this.#sent ?? {};
    if (firing.size === 0) return knownFiring.size > 0 ? alerts : [];
    const isNews = [...firing].some((key) => !knownFiring.has(key)) || [...over].some((key) => !knownOver.has(key));
    return isNews || nowMs - atMs >= this.#route.repeatMs ? alerts : [];
  }

  /** Readers know all that there is. @param alerts of the message that was sent; empty without one. */
  settle(alerts: readonly GroupedAlert[], nowMs: number): void {
    if (alerts.length > 0) this.#sent = { ...keysOf(alerts), atMs: nowMs };
    for (const key of this.#ended) if (this.#alerts.get(key)?.isFiring === false) this.#alerts.delete(key);
    this.dueMs = nowMs + GROUP_INTERVAL_MS;
  }

  /** The message could not be sent. */
  postpone(dueMs: number): void {
    this.dueMs = dueMs;
  }
}

const NONE: ReadonlySet<string> = new Set();

function keysOf(alerts: readonly GroupedAlert[]): {
  readonly firing: ReadonlySet<string>;
  readonly over: ReadonlySet<string>;
} {
  const [firing, over] = [true, false].map(
    (state) => new Set(alerts.filter(({ isFiring }) => isFiring === state).map(({ alert }) => alertKey(alert))),
  );
  return { firing: firing as ReadonlySet<string>, over: over as ReadonlySet<string> };
}
