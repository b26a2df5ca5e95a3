/** Asks promtool whether a Prometheus comes to the same verdicts. */
import type { Verdict } from './evaluated-world.ts';
import { testRules, type AlertExpectation, type Expectation, type InputSeries } from './promtool.ts';

/** @returns the complaints of promtool: empty if each alert has the same state, labels and texts at each minute. */
export function complaintsAbout(
  groups: readonly { readonly name: string }[],
  worlds: readonly { readonly input: readonly InputSeries[]; readonly verdicts: readonly (readonly Verdict[])[] }[],
): string {
  return testRules(
    groups,
    worlds.map(({ input, verdicts }) => ({ input, expects: statesOf(verdicts), alerts: textsOf(verdicts) })),
  );
}

/** All states where one changes and a minute before, and how long each lasted in all. */
function statesOf(verdicts: readonly (readonly Verdict[])[]): readonly Expectation[] {
  const texts = verdicts.map((some) => JSON.stringify(some.map(seriesOf).toSorted()));
  const changes = texts.flatMap((text, minute) => (text === texts[minute - 1] ? [] : [minute - 1, minute]));
  const moments = [...new Set([...changes, verdicts.length - 1])].filter((minute) => minute >= 0);
  const counts = new Map<string, number>();
  for (const series of verdicts.flatMap((some) => some.map(seriesOf)))
    counts.set(series, (counts.get(series) ?? 0) + 1);
  return [
    ...moments.map((atMinute) => ({
      query: 'ALERTS',
      atMinute,
      samples: (verdicts[atMinute] ?? []).map((one) => ({ labels: `ALERTS${seriesOf(one)}`, value: 1 })),
    })),
    {
      query: `count_over_time(ALERTS[${verdicts.length}m])`,
      atMinute: verdicts.length - 1,
      samples: [...counts].map(([labels, value]) => ({ labels, value })),
    },
  ];
}

/** The texts of the alerts that fire at the end, and where the first one fires. */
function textsOf(verdicts: readonly (readonly Verdict[])[]): readonly AlertExpectation[] {
  const firing = verdicts.map((some) => some.filter(({ state }) => state === 'firing'));
  const first = firing.findIndex((some) => some.length > 0);
  const moments = first < 0 ? [] : [first, firing.length - 1];
  return moments.flatMap((atMinute) => {
    const some = firing[atMinute] as readonly Verdict[];
    return [...new Set(some.map(({ alertname }) => alertname))].map((alertname) => ({
      alertname,
      atMinute,
      alerts: some
        .filter((one) => one.alertname === alertname)
        .map(({ labels, annotations }) => ({ labels: withoutAlertname(labels), annotations })),
    }));
  });
}

/** promtool knows the name already. */
function withoutAlertname(labels: Verdict['labels']): Verdict['labels'] {
  return Object.fromEntries(Object.entries(labels).filter(([name]) => name !== 'alertname'));
}

function seriesOf({ labels, state }: Verdict): string {
  const all = Object.entries({ ...labels, alertstate: state });
  return `{${all.map(([name, value]) => `${name}=${JSON.stringify(value)}`).join(', ')}}`;
}
