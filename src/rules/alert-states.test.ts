import { expect, it, test } from 'vitest';
import { AlertStates, type Alert } from './alert-states.ts';

const MINUTE = 60_000;
const KEY = 'alertname\uD800High\uD800';
const RAISED = new Map([[KEY, { labels: new Map([['alertname', 'High']]), annotations: new Map(), value: 1 }]]);
const NOTHING: typeof RAISED = new Map();

/** The alerts of a rule that has raised one at these minutes. */
function statesAfter(rule: { holdMs: number; keepFiringMs?: number }, minutes: readonly number[]): readonly Alert[] {
  const states = new AlertStates({ keepFiringMs: 0, ...rule });
  for (const minute of minutes) states.update(RAISED, minute * MINUTE);
  return states.all;
}

/** The rule in a process that begins at minute 100; the last one ended at minute 60. */
function restarted(rule: { holdMs: number; keepFiringMs?: number }, alerts: readonly Alert[]): AlertStates {
  const states = new AlertStates({ keepFiringMs: 0, ...rule });
  states.restore(alerts, { fromMs: 60 * MINUTE, toMs: 100 * MINUTE, graceMs: 5 * MINUTE });
  return states;
}

/** When the alert fires, with an evaluation each minute. */
function firesAt(states: AlertStates): number | undefined {
  for (let minute = 100; minute < 300; minute++) {
    states.update(RAISED, minute * MINUTE);
    if (states.all[0]?.state === 'firing') return minute;
  }
  return undefined;
}

// RestoreForState of Prometheus does the same, with its grace period of 10 minutes.
test.each([
  ['the time of the outage does not count', 60, [30, 60], 130],
  ['it waits for at least 10 minutes', 40, [21, 60], 110],
  ['a shorter time begins again', 9, [59, 60], 109],
])('a pending alert fires later: %s', (_, holdMinutes, raisedAt, expected) => {
  const rule = { holdMs: holdMinutes * MINUTE };
  expect(firesAt(restarted(rule, statesAfter(rule, raisedAt)))).toBe(expected);
});

it('continues a firing alert without its value, until the grace is over', () => {
  const rule = { holdMs: 0 };
  const states = restarted(rule, statesAfter(rule, [50, 60]));
  states.update(NOTHING, 100 * MINUTE);
  states.update(NOTHING, 104 * MINUTE);
  expect(states.all).toMatchObject([{ state: 'firing', activeAtMs: 50 * MINUTE, firedAtMs: 50 * MINUTE }]);
  states.update(NOTHING, 105 * MINUTE);
  expect(states.all).toMatchObject([{ state: 'resolved', resolvedAtMs: 105 * MINUTE }]);
});

it('ends a firing alert immediately when its value has come back and goes', () => {
  const rule = { holdMs: 0 };
  const states = restarted(rule, statesAfter(rule, [60]));
  states.update(RAISED, 100 * MINUTE);
  states.update(NOTHING, 101 * MINUTE);
  expect(states.all).toMatchObject([{ state: 'resolved' }]);
});

it('lets a pending alert without its value neither fire nor stay', () => {
  const rule = { holdMs: 10 * MINUTE };
  const states = new AlertStates({ keepFiringMs: 0, ...rule });
  states.restore(statesAfter(rule, [52, 60]), { fromMs: 60 * MINUTE, toMs: 100 * MINUTE, graceMs: 20 * MINUTE });
  states.update(NOTHING, 115 * MINUTE);
  expect(states.all).toMatchObject([{ state: 'pending' }]);
  states.update(NOTHING, 121 * MINUTE);
  expect(states.all).toEqual([]);
});

it('continues with keep_firing_for', () => {
  const rule = { holdMs: 0, keepFiringMs: 50 * MINUTE };
  const first = new AlertStates(rule);
  first.update(RAISED, 55 * MINUTE);
  first.update(NOTHING, 60 * MINUTE);
  const states = restarted(rule, first.all);
  states.update(NOTHING, 109 * MINUTE);
  expect(states.all).toMatchObject([{ state: 'firing', keepFiringSinceMs: 60 * MINUTE }]);
  states.update(NOTHING, 110 * MINUTE);
  expect(states.all).toMatchObject([{ state: 'resolved' }]);
});
