/** The verdicts of siphon's rules about a world of series, minute by minute. */
import { History } from '../../../src/components/extensions/metrics-history/store/history.ts';
import { labelText } from '../../../src/components/extensions/metrics-history/store/label-text.ts';
import { JoinedSource } from '../../../src/components/extensions/metrics-history/rules/joined-source.ts';
import { Timetable } from '../../../src/components/extensions/metrics-history/rules/timetable.ts';
import { SINGLE } from '../../../src/engine/metric-history.ts';
import { atOnce } from '../../../src/engine/time-slice.ts';
import { parseRuleFile } from '../../../src/rules/parse-rule-file.ts';
import type { InputSeries } from './promtool.ts';
import { seriesValues } from './series-values.ts';

export interface Verdict {
  readonly alertname: string;
  readonly state: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

const MINUTE_MS = 60_000;
const BYTES = 64 * 1024 * 1024;

const evaluation = {
  lookbackMs: 5 * MINUTE_MS,
  subqueryStepMs: MINUTE_MS,
  maxSamples: 10_000_000,
  maxSeries: 50_000,
  timeoutMs: 30_000,
};

/**
 * Evaluates rules each minute, from 0 to the last one.
 *
 * @param retentionMs how much the history has; the rules see more, because they keep copies.
 * @returns the alerts after each minute.
 */
export async function verdictsOf(
  groups: readonly object[],
  input: readonly InputSeries[],
  { minutes, retentionMs }: { readonly minutes: number; readonly retentionMs: number },
): Promise<readonly (readonly Verdict[])[]> {
  const history = new History({ retentionMs, maxBytes: BYTES });
  const timetable = new Timetable(
    atOnce(parseRuleFile({ name: 'rules', text: JSON.stringify({ groups }) }, MINUTE_MS)),
    {
      evaluation,
      retentionMs,
      maxBytes: BYTES,
      limit: 0,
    },
  );
  const source = new JoinedSource(history, [timetable.store]);
  const series = input.map(seriesValues).map(({ name, labels, values }) => ({
    group: { name, labels: labelText(Object.entries(labels)), parts: SINGLE },
    values,
  }));
  const verdicts: (readonly Verdict[])[] = [];
  for (let minute = 0; minute <= minutes; minute++) {
    const atMs = minute * MINUTE_MS;
    await history.record(atMs, async (sink) => {
      for (const { group, values } of series) {
        const value = values[minute];
        if (typeof value === 'number') sink.write(sink.numberOf(group), value);
      }
    });
    await timetable.evaluate(atMs, history, source);
    const rules = timetable.groups.flatMap((group) => group.rules);
    const failed = rules.find(({ health }) => health === 'err');
    if (failed !== undefined) throw new Error(`${failed.rule.name}: ${failed.problem}`);
    verdicts.push(
      rules.flatMap(({ rule, alerts }) =>
        alerts.active.map(({ state, labels, annotations }) => ({
          alertname: rule.name,
          state,
          labels: Object.fromEntries(labels),
          annotations: Object.fromEntries(annotations),
        })),
      ),
    );
  }
  return verdicts;
}
