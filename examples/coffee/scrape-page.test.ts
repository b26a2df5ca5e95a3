import { describe, expect, it } from 'vitest';
import { ScrapePage } from './scrape-page.ts';

const page = new ScrapePage(`# HELP artifacts_total Raw artifacts
# TYPE artifacts_total counter
artifacts_total{source="a",status="200"} 3
artifacts_total{source="a",status="304"} 2
artifacts_total{source="b",status="200"} 4 1700000000000
artifacts_total_other 9
latency_seconds_bucket{le="+Inf"} 7
latency_seconds_sum 1.5e-2
latency_seconds_count 7
odd{text="a \\"quoted\\", x=\\"1\\" \\\\ {brace}"} -1
up 1`);

describe('a scrape page', () => {
  it.each([
    ['artifacts_total', {}, 9],
    ['artifacts_total', { source: 'a' }, 5],
    ['artifacts_total', { source: 'a', status: '304' }, 2],
    ['artifacts_total', { source: 'c' }, undefined],
    ['artifacts', {}, undefined],
    ['latency_seconds_sum', {}, 0.015],
    ['odd', { text: 'a \\"quoted\\", x=\\"1\\" \\\\ {brace}' }, -1],
    ['odd', { x: '1' }, undefined],
    ['up', {}, 1],
  ])('sums %s with %j to %s', (name, labels: Record<string, string>, sum) => {
    expect(page.sum(name, labels)).toBe(sum);
  });

  it.each([
    ['artifacts_total', 3],
    ['latency_seconds', 1],
    ['nothing', 0],
  ])('counts the series of %s: %d', (name, count) => {
    expect(page.seriesCount(name)).toBe(count);
  });

  it('sums by the values of a label', () => {
    expect(Object.fromEntries(page.sumBy('status', 'artifacts_total'))).toEqual({ 200: 7, 304: 2 });
  });
});
