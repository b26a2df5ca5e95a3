/**
 * Faults of a running demo. Each must be reported once, with texts and links, and resolved once. The rules are the shipped
 * ones, with shorter times (`shortened-rules.ts`) and the limits of `SETTINGS`.
 */
import { existsSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PrometheusSource } from '../../src/console/prometheus-source.ts';
import { shipped } from '../support/dashboards/shipped.ts';
import { alertmanagerMissing } from '../support/alerts/alertmanager-server.ts';
import { FaultEnvironment } from '../support/alerts/fault-environment.ts';
import { eachPanel, shownOn } from '../support/dashboards/panel-data.ts';
import { prometheusMissing } from '../support/prometheus/prometheus-server.ts';
import { notificationsOf, type Notification } from '../support/alerts/slack-notifications.ts';
import { waitFor } from '../support/wait-for.ts';
import type { ExpectedAlert, Fault } from '../support/alerts/fault.ts';
import { MAX_SERIES, notFilled, notProvoked, rounds, SETTINGS } from './faults.ts';

const missing = prometheusMissing ?? alertmanagerMissing;
if (missing !== undefined) process.stderr.write(`That alerts reach whom they must is not proved: ${missing}\n`);

/** Every shop has had a run, the score is known, and no alert is firing or pending. */
const WELL = `
  (count(scrape_last_run_timestamp_seconds{status="ok"}) >= 8 and on () max(pipeline_health_score{component="total"}) > 90)
  unless on () ALERTS{alertname!="Watchdog"}`;

const START_MS = 180_000;
const FAULT_MS = 150_000;
const FIRING = { what: 'the notification', timeoutMs: 60_000 };
const OVER = { what: 'the resolved notification', timeoutMs: 80_000 };

const faults = rounds.flatMap((round) => round.faults);

it('every alert is provoked, or has a reason why not', () => {
  const provoked = faults.flatMap(({ alerts: expected, keptBack = [] }) =>
    [...expected, ...keptBack].map(({ alert }) => alert),
  );
  const named = [...new Set(provoked), ...Object.keys(notProvoked)];
  expect(named.toSorted()).toEqual(shipped.alerts.map(({ name }) => name).toSorted());
});

it('every panel that is empty without faults is filled, or has a reason why not', () => {
  const healthy = eachPanel.filter(({ panel }) => panel.empty.meaning !== 'unknown').map(({ panel }) => panel.title);
  const filled = faults.flatMap(({ panels: shown = [] }) => shown.map(([, title]) => title));
  expect(new Set([...filled, ...Object.keys(notFilled)])).toEqual(new Set(healthy));
});

type ShowingPanel = NonNullable<Fault['panels']>[number];

describe.skipIf(missing !== undefined)('what goes wrong in a running demo', () => {
  let world: FaultEnvironment;
  let source: PrometheusSource;
  const shownWhenWell = new Map<ShowingPanel, readonly string[]>();

  beforeAll(
    async () => {
      world = await FaultEnvironment.start({ settings: SETTINGS, maxSeries: MAX_SERIES });
      source = new PrometheusSource(world.watched.prometheus.url);
      await waitFor(isWell, { what: 'the demo to be well', timeoutMs: START_MS }).catch(async (cause: Error) => {
        throw new Error(`${cause.message}: ${await world.stateOf('HealthScoreLow')}`, { cause });
      });
      await waitFor(isAllOver, { ...OVER, what: 'the end of the alerts of the start' }).catch(() => undefined);
      world.sink.messages.splice(0);
      for (const panel of faults.flatMap(({ panels = [] }) => panels)) shownWhenWell.set(panel, await shown(panel));
    },
    START_MS + OVER.timeoutMs + 30_000,
  );

  afterAll(async () => await world?.[Symbol.asyncDispose]());

  const isWell = async (): Promise<boolean> => (await world.watched.prometheus.query(WELL)).length > 0;

  /** True if what was reported while it started is reported as resolved, unless another alert inhibits that. */
  const isAllOver = (): boolean => [...grouped(told()).values()].every(isResolved);

  /** The state of the alert explains why a message does not come. */
  const waitForMessage = async (
    isThere: () => boolean,
    { alert, ...options }: { alert: string; what: string; timeoutMs: number },
  ): Promise<void> => {
    try {
      await waitFor(isThere, options);
    } catch (cause) {
      throw new Error(`${(cause as Error).message}: ${await world.stateOf(alert)}`, { cause });
    }
  };

  const shown = async ([uid, title]: ShowingPanel): Promise<readonly string[]> => {
    const found = eachPanel.find(({ dashboard, panel }) => dashboard.uid === uid && panel.title === title);
    if (found === undefined) throw new Error(`no panel ${title} on ${uid}`);
    return await shownOn(source, found.dashboard, { panel: found.panel, range: '15m' });
  };

  const told = (): readonly Notification[] => notificationsOf(world.sink.messages);

  /** Provokes a fault until all that it must do is seen, ends it, and sees that too. */
  const prove = async ({ provoke, end, alerts: expected, panels = [], keptBack = [] }: Fault): Promise<void> => {
    const before = told().length;
    const since = (alert: ExpectedAlert): readonly Notification[] => told().slice(before).filter(isAbout(alert));
    const isOver = (alert: ExpectedAlert): boolean => bySeverity(since(alert)).every(isResolved);
    await provoke(world);
    try {
      for (const alert of expected) {
        await waitForMessage(() => since(alert).length > 0, {
          ...FIRING,
          ...alert,
          what: `${nameOf(alert)} ${FIRING.what}`,
        });
      }
      for (const panel of panels) {
        const isNew = (name: string): boolean => !shownWhenWell.get(panel)!.includes(name);
        await waitFor(async () => (await shown(panel)).some(isNew), { ...FIRING, what: `${panel[1]} to show it` });
      }
      for (const { alert, roaster } of keptBack) {
        const matchers = [`alertname="${alert}"`, ...(roaster === undefined ? [] : [`roaster="${roaster}"`])];
        await world.watched.prometheus.found(`ALERTS{${matchers.join(', ')}, alertstate="firing"}`);
      }
    } finally {
      await end(world);
    }
    for (const alert of expected) {
      await waitForMessage(() => isOver(alert), { ...OVER, ...alert, what: `${nameOf(alert)} ${OVER.what}` });
      for (const messages of bySeverity(since(alert))) expect(timesTold(messages), nameOf(alert)).toBe(1);
    }
    for (const alert of keptBack) expect(since(alert), nameOf(alert)).toEqual([]);
  };

  describe.each(rounds)('$name', ({ faults: together }) => {
    const proofs = new Map<Fault, Promise<void>>();

    beforeAll(() => {
      for (const fault of together) {
        const proof = prove(fault);
        // It fails in its own test.
        proof.catch(() => undefined);
        proofs.set(fault, proof);
      }
    });

    it.each(together)('$name is reported once, and resolved once', async (fault) => await proofs.get(fault), FAULT_MS);
  });

  it('is reported again only after it was resolved, and nothing is reported that did not happen', () => {
    for (const [group, messages] of grouped(told())) {
      // Alertmanager may repeat that a group is over.
      const ends = messages.filter(({ firing }, index) => firing === 0 && messages[index - 1]?.firing !== 0).length;
      // Consequences of the last fault may not be resolved yet.
      expect([ends, ends + 1], group).toContain(timesTold(messages));
    }
    expect(told().filter((one) => !isExplained(one))).toEqual([]);
  });

  it('is reported with texts and links', () => {
    for (const { alert: name, roaster, title, text, links } of told()) {
      const alert = shipped.alerts.find((one) => one.name === name);
      expect(title).toMatch(/^(?:Warning|Critical|Resolved): ./);
      expect(text).not.toBe('');
      expect(title + text).not.toMatch(/no value|\{\{|NaN|undefined/);
      if (roaster !== undefined) expect(title).toContain(roaster);
      const [, runbook = ''] =
        /^https:\/\/unpkg\.com\/siphon-otel(?:@[^/]+)?\/(.+)$/.exec(links['Runbook'] ?? '') ?? [];
      expect(runbook).toContain(`/runbooks/${name}.md`);
      expect(existsSync(new URL(`../../${runbook}`, import.meta.url))).toBe(true);
      expect(panelAt(links['Dashboard'] ?? '')).toEqual(alert?.panel);
      if (roaster !== undefined) expect(new URL(links['Dashboard']!).searchParams.get('var-roaster')).toBe(roaster);
    }
  });

  it('leaves the watchdog calling', () => {
    expect(world.sink.deadManCalls.map(({ alertnames }) => alertnames)).toContainEqual(['Watchdog']);
  });
});

/** True if a fault must or may raise it. */
function isExplained(one: Notification): boolean {
  return faults.some(
    ({ alerts: expected, follow = [] }) => follow.includes(one.alert) || expected.some((alert) => isAbout(alert)(one)),
  );
}

function isAbout({ alert, roaster }: ExpectedAlert) {
  return (one: Notification): boolean => one.alert === alert && one.roaster === roaster;
}

/** Groups messages like Alertmanager: by alert, roaster and severity. */
function grouped(messages: readonly Notification[]): ReadonlyMap<string, readonly Notification[]> {
  return Map.groupBy(messages, ({ alert, roaster, severity }) => `${alert} ${roaster ?? ''} ${severity}`);
}

function isResolved(group: readonly Notification[]): boolean {
  return group.at(-1)?.firing === 0;
}

function bySeverity(messages: readonly Notification[]): readonly (readonly Notification[])[] {
  return [...Map.groupBy(messages, ({ severity }) => severity).values()];
}

/** Without messages that only report that some of the alerts have resolved, that further ones have joined them, or both. */
function timesTold(messages: readonly Notification[]): number {
  return messages.filter(({ firing }, index) => firing > 0 && (messages[index - 1]?.firing ?? 0) === 0).length;
}

function nameOf({ alert, roaster }: ExpectedAlert): string {
  return roaster === undefined ? alert : `${alert} of ${roaster}`;
}

function panelAt(url: string): { readonly dashboard: string; readonly title: string | undefined } {
  const { pathname, searchParams } = new URL(url);
  const dashboard = pathname.replace('/d/', '');
  const id = searchParams.get('viewPanel');
  const found = eachPanel.find((one) => one.dashboard.uid === dashboard && String(one.panel.id) === id);
  return { dashboard, title: found?.panel.title };
}
