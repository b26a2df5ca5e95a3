import { describe, expect, it } from 'vitest';
import { bucketsOf } from './buckets.ts';
import { secondsOf } from '../dashboards/promql/duration.ts';
import { lonelyOf, stackedUp, totalOf } from './graph-data.ts';
import { timeMarks } from './browser/time-text.ts';
import { nameOf } from './series-name.ts';
import { toneOf } from './tone.ts';
import { bucketText, textOf } from './unit-text.ts';

describe('numbers on the page', () => {
  it.each([
    [0, 's', '0 s'],
    [0.0042, 's', '4.2 ms'],
    [0.000_35, 's', '350 µs'],
    [93_600, 's', '1.08 d'],
    [0.125, '1', '12.5 %'],
    [12.5, '%', '12.5 %'],
    [1536, 'By', '1.5 KiB'],
    [1_048_576, 'By/s', '1 MiB/s'],
    [24.07, '{run}', '24'],
    [1.05, '{run}', '1'],
    [94.82, '{score}', '94.8'],
    [9999, '{run}', '9999'],
    [12_345, '{run}', '12.3k'],
    [2_500_000, '{row}', '2.5M'],
    [0.5, '{point}/s', '0.5/s'],
    [0.0025, '{transaction}/s', '0.0025/s'],
    [0.0075, '{transaction}/s', '0.0075/s'],
    [0.012_345, '{transaction}/s', '0.0123/s'],
    [-3, '{row}', '−3'],
    [0.000_002_4, '1', '0.00024 %'],
    [0.000_000_001_5, '1', '1.5e−7 %'],
    [Infinity, 's', '∞'],
  ])('%d in %s reads %s', (value, unit, text) => {
    expect(textOf(value, unit)).toBe(text);
  });

  it.each([
    [10_000, undefined, 'By', '≤ 10 kB'],
    [5_000_000, 10_000, 'By', '≤ 5 MB'],
    [0.25, 0.1, 's', '≤ 250 ms'],
    [1.05, 1, '1', '≤ ×1.05'],
    [Infinity, 1.5, '1', '> ×1.5'],
    [Infinity, undefined, 'By', '≤ ∞'],
  ])('the bucket up to %d after %d in %s reads %s', (upTo, before, unit, text) => {
    expect(bucketText(upTo, before, unit)).toBe(text);
  });

  it.each([
    [79, 'bad'],
    [80, 'warning'],
    [95, 'good'],
  ])('%d is %s where less is worse', (value, tone) => {
    expect(toneOf(value, { bad: 'below', warning: 95, critical: 80, unit: '%', why: '' })).toBe(tone);
  });

  it.each([
    [4, 'good'],
    [5, 'warning'],
    [20, 'bad'],
  ])('%d is %s where more is worse', (value, tone) => {
    expect(toneOf(value, { bad: 'above', warning: 5, critical: 20, unit: '%', why: '' })).toBe(tone);
  });

  it('means nothing where there is no threshold', () => {
    expect(toneOf(5, undefined)).toBeUndefined();
  });

  it.each([
    ['5m', 300],
    ['30d', 2_592_000],
    ['0m', undefined],
    ['5 m', undefined],
  ])('%s is %s seconds', (duration, seconds) => {
    expect(secondsOf(duration)).toBe(seconds);
  });

  it('counts what is in a bucket, not below it', () => {
    const samples = [
      { labels: { le: '+Inf' }, value: 7 },
      { labels: { le: '1' }, value: 4 },
      { labels: { le: '10' }, value: 6.5 },
    ];
    expect(bucketsOf(samples)).toEqual([
      { upTo: 1, count: 4 },
      { upTo: 10, count: 2.5 },
      { upTo: Infinity, count: 0.5 },
    ]);
  });

  it('puts the first series on top of the others, and a gap on nothing', () => {
    expect(
      stackedUp([
        [1, 1],
        [2, null],
        [3, 3],
      ]),
    ).toEqual([
      [6, 4],
      [5, null],
      [3, 3],
    ]);
  });

  it('adds up the bars of a graph, and knows no total without one', () => {
    expect(totalOf([2, null, 3])).toBe(5);
    expect(totalOf([null])).toBeUndefined();
  });

  it('finds the values without a visible line', () => {
    expect(lonelyOf([1, null, 2, 3, null, 4, 5, 6, null, null, 7])).toEqual([0, 2, 3, 10]);
  });

  it.each([
    [30, ['11:59:30', '12:00:00', '12:00:30']],
    [300, ['11:55', '12:00', '12:05']],
    [12 * 3600, ['25 Nov', '12:00', '26 Nov']],
    [86_400, ['24 Nov', '25 Nov', '26 Nov']],
  ])('marks a time every %d s with distinct texts', (stepS, texts) => {
    const noonS = new Date(2026, 10, 25, 12).getTime() / 1000;
    expect(timeMarks([-1, 0, 1].map((index) => noonS + index * stepS))).toEqual(texts);
  });

  it('calls series by their labels', () => {
    expect(nameOf('{{roaster}} {{cadence}}', { roaster: 'a', cadence: 'price' })).toBe('a price');
    expect(nameOf('{{roaster}}', {})).toBe('—');
  });
});
