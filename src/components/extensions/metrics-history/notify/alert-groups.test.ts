import { expect, it } from 'vitest';
import type { Alert } from '../../../../rules/alert-states.ts';
import { AlertGroups } from './alert-groups.ts';

const MINUTE = 60_000;

function alert(labels: Record<string, string>, state: Alert['state'] = 'firing'): Alert {
  const times = { activeAtMs: 0, firedAtMs: 0, keepFiringSinceMs: undefined, resolvedAtMs: undefined };
  return { labels: new Map(Object.entries(labels)), annotations: new Map(), value: 1, state, ...times };
}

const full = (table: string, state?: Alert['state']): Alert =>
  alert({ alertname: 'Full', severity: 'warning', level: 'ticket', table }, state);

/** Updates and sends each minute. @returns the tables and states of each message. */
function messages(
  minutes: readonly (readonly Alert[])[],
  isBroken: (minute: number) => boolean = () => false,
): unknown {
  const groups = new AlertGroups();
  const sent: string[] = [];
  for (const [minute, alerts] of minutes.entries()) {
    const nowMs = minute * MINUTE;
    groups.update(alerts, nowMs);
    for (const group of groups.due(nowMs)) {
      const message = group.message(nowMs);
      if (message.length > 0 && isBroken(minute)) {
        group.postpone(nowMs + MINUTE);
        continue;
      }
      group.settle(message, nowMs);
      const texts = message.map(({ alert: { labels }, isFiring }) => `${isFiring ? '' : '-'}${labels.get('table')}`);
      if (texts.length > 0) sent.push(`${minute}: ${texts.join(' ')}`);
    }
  }
  return sent;
}

const during = (length: number, of: (minute: number) => readonly Alert[]): readonly (readonly Alert[])[] =>
  Array.from({ length }, (_, minute) => of(minute));

it('waits for what belongs together, and reports changes every five minutes', () => {
  const minutes = during(20, (minute) => [
    full('a'),
    full('b', minute < 1 ? 'pending' : minute < 8 ? 'firing' : 'resolved'),
    ...(minute >= 3 ? [full('c')] : []),
  ]);
  expect(messages(minutes)).toEqual(['1: a b', '6: a b c', '11: a -b c']);
});

it('reports an end once, and an alert that returns again', () => {
  const minutes = during(30, (minute) => [full('a', minute < 3 || minute > 20 ? 'firing' : 'resolved')]);
  expect(messages(minutes)).toEqual(['1: a', '6: -a', '22: a']);
});

it('repeats alerts that fire once a day', () => {
  expect(messages(during(49 * 60, () => [full('a')]))).toEqual(['1: a', '1441: a', '2881: a']);
});

it('sends a message later if it fails, and what changed meanwhile with it', () => {
  const minutes = during(12, (minute) => [full('a', minute < 3 ? 'firing' : 'resolved'), full('b')]);
  expect(messages(minutes, (minute) => minute < 4)).toEqual(['4: -a b']);
});

it('ends alerts that no rule has any more', () => {
  expect(messages(during(12, (minute) => (minute < 3 ? [full('a')] : [])))).toEqual(['1: a', '6: -a']);
});

it('is silent about an alert that ends before its message, or that another explains', () => {
  const short = during(12, (minute) => [full('a', minute < 1 ? 'firing' : 'resolved')]);
  expect(messages(short)).toEqual([]);
  const critical = alert({ alertname: 'Full', severity: 'critical', level: 'page', table: 'a' });
  expect(messages(during(12, () => [full('a'), critical]))).toEqual(['1: a']);
  expect(messages(during(12, () => [alert({ alertname: 'Watchdog', severity: 'none', table: 'w' })]))).toEqual([]);
});

it('repeats nothing after a restart, and reports what is over since', () => {
  const before = new AlertGroups();
  before.update([full('orders'), full('users')], 0);
  const [group] = before.due(MINUTE);
  group!.settle(group!.message(MINUTE), MINUTE);

  const after = new AlertGroups();
  after.restore(structuredClone(before.saved), 4 * MINUTE);
  after.update([full('orders'), full('users')], 4 * MINUTE);
  expect(after.nextMs).toBe(6 * MINUTE);
  const [known] = after.due(6 * MINUTE);
  expect(known!.message(6 * MINUTE)).toEqual([]);
  known!.settle([], 6 * MINUTE);

  // No rule has it any more.
  after.update([full('orders')], 7 * MINUTE);
  const [changed] = after.due(11 * MINUTE);
  expect(changed!.message(11 * MINUTE)).toMatchObject([
    { isFiring: true },
    { isFiring: false, alert: { labels: full('users').labels } },
  ]);
});

it('delays no message after a restart with a clock that was set back', () => {
  const before = new AlertGroups();
  before.update([full('orders')], 1000 * MINUTE);
  const after = new AlertGroups();
  after.restore(before.saved, 0);
  expect(after.nextMs).toBe(5 * MINUTE);
});
