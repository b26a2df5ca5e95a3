import { expect, it } from 'vitest';
import { KeptExemplars } from './kept-exemplars.ts';

const span = (name: string) => ({ traceId: name, spanId: name, traceFlags: 1 });

function shown(kept: KeptExemplars, series = '', fromMs = 0): string[] {
  return kept.of(series, fromMs).map(({ value, timeMs, span: { spanId } }) => `${spanId} ${value} at ${timeMs}`);
}

it('has the newest last, after the highest of the interval', () => {
  const kept = new KeptExemplars([], { left: 1 });
  kept.add('', 1, 10, span('a'));
  kept.add('', 9, 20, span('b'));
  kept.add('', 2, 30, span('c'));
  expect(shown(kept)).toEqual(['b 9 at 20', 'c 2 at 30']);
  kept.beginInterval();
  expect(shown(kept), 'until they are replaced').toEqual(['b 9 at 20', 'c 2 at 30']);
  kept.add('', 0, 40, span('d'));
  expect(shown(kept)).toEqual(['d 0 at 40']);
  expect(shown(kept, '', 41), 'of a later interval').toEqual([]);
});

it('puts a value that is a boundary into the bucket below, as the SDK does', () => {
  const kept = new KeptExemplars([1, 2], { left: 3 });
  [1, 1.5, 2, 2.5].forEach((value, i) => kept.add('', value, i, span(String(i))));
  // 1.5 and 2 are in one bucket.
  expect(shown(kept)).toEqual(['0 1 at 0', '2 2 at 2', '3 2.5 at 3']);
});

it('shares its budget with other instruments, keeps what it has when that is used up, and then makes room', () => {
  const budget = { left: 2 };
  const [first, second] = [new KeptExemplars([5], budget), new KeptExemplars([], budget)];
  first.add('x', 1, 1, span('a'));
  second.add('x', 1, 2, span('b'));
  first.add('x', 9, 3, span('c'));
  second.add('y', 1, 4, span('d'));
  first.add('x', 2, 5, span('e'));
  expect(budget.left).toBe(0);
  expect([shown(first, 'x'), shown(second, 'x'), shown(second, 'y')]).toEqual([['e 2 at 5'], ['b 1 at 2'], []]);

  second.beginInterval();
  second.add('x', 1, 6, span('f'));
  second.beginInterval();
  expect(shown(second, 'x'), 'measured in the interval').toEqual(['f 1 at 6']);
  second.beginInterval();
  expect(shown(second, 'x'), 'room for others').toEqual([]);
  first.add('x', 9, 7, span('g'));
  expect([budget.left, ...shown(first, 'x')]).toEqual([0, 'e 2 at 5', 'g 9 at 7']);
});
