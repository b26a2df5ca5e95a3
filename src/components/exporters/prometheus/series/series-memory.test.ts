import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { viewOf } from '../../../../engine/columns/hash-bytes.ts';
import { SeriesMemory } from './series-memory.ts';

const STREAM = 7;

const steps = fc.array(
  fc.record({
    kind: fc.constantFrom('point', 'point', 'point', 'point', 'sweep'),
    family: fc.nat(2),
    label: fc.nat(40),
    length: fc.constantFrom(10, 200, 3000, 40_000),
    age: fc.nat(60),
  }),
  { maxLength: 300 },
);

test('after any points and sweeps, the series that were not swept are found with their text and value', async () => {
  await fc.assert(
    fc.asyncProperty(steps, async (taken) => {
      const memory = new SeriesMemory(
        { maxSeries: 1000, maxBytes: 2 ** 30 },
        { openMetrics: true, expirationMs: 300_000 },
      );
      const model = new Map<string, { family: number; seenMs: number }>();
      for (const [nowMs, { kind, family, label, length, age }] of taken.entries()) {
        if (kind === 'sweep') {
          await memory.sweep(nowMs - age);
          for (const [text, { seenMs }] of model) if (seenMs < nowMs - age) model.delete(text);
        } else {
          const text = `${family} ${label} `.padEnd(length, 'x');
          model.set(text, { family, seenMs: nowMs });
          record(memory, text, { family, nowMs });
        }
        check(memory, model);
      }
    }),
    { numRuns: 100 },
  );
});

function record(
  memory: SeriesMemory,
  text: string,
  { family: number, nowMs }: { family: number; nowMs: number },
): void {
  const { series, attributes, families, targets } = memory;
  const family = families.claim(traits(number), { origin: 'sent', nowMs });
  if (family === undefined) throw new Error('no family');
  const bytes = Buffer.from(text);
  let row = series.find(family, bytes);
  if (row < 0) {
    row = series.add(family, bytes);
    attributes.add(STREAM, keyOf(text), { row, identity: number });
  }
  series.show(row, { owner: number, target: targets.seen('job', '', { origin: 'sent', nowMs }) }, nowMs);
  series.setLayout(row, Float64Array.of(number, text.length));
  series.values[row] = nowMs;
}

function check(memory: SeriesMemory, model: ReadonlyMap<string, { family: number; seenMs: number }>): void {
  const { series, attributes, families, targets } = memory;
  expect(series.live).toBe(model.size);
  expect(targets.seriesOf('sent')).toBe(model.size);
  for (const [text, { family: number, seenMs }] of model) {
    const family = families.find(traits(number));
    const row = family === undefined ? -1 : series.find(family, Buffer.from(text));
    expect(row).toBeGreaterThanOrEqual(0);
    expect(series.text(row) === text).toBe(true);
    expect(series.values[row]).toBe(seenMs);
    expect(series.layouts[row]?.values[1]).toBe(text.length);
    expect(attributes.rows[attributes.find(STREAM, keyOf(text))]).toBe(row);
  }
  let linked = 0;
  for (const { firstRow } of families.sorted()) {
    for (let row = firstRow; row >= 0; row = series.next[row] as number) linked++;
  }
  expect(linked).toBe(model.size);
}

function traits(number: number): Parameters<SeriesMemory['families']['claim']>[0] {
  return { name: `h${number}`, type: 'histogram', help: '', unit: '' };
}

function keyOf(text: string): Parameters<SeriesMemory['attributes']['find']>[1] {
  const bytes = Buffer.from(text);
  return { view: viewOf(bytes), keyStart: 0, keyEnd: bytes.length };
}

test('rows, entries and blocks shrink to the series that remain', async () => {
  const memory = new SeriesMemory(
    { maxSeries: 100_000, maxBytes: 2 ** 30 },
    { openMetrics: false, expirationMs: 300_000 },
  );
  for (let i = 0; i < 50_000; i++)
    record(memory, `a ${i} ${'x'.repeat(300)}`, { family: 0, nowMs: i % 100 === 0 ? 2 : 1 });
  const { usedBytes } = memory;
  await memory.sweep(2);
  expect(memory.series.live).toBe(500);
  expect(memory.series.end).toBe(500);
  expect(memory.series.values.length).toBeLessThanOrEqual(1024);
  expect(memory.attributes.rows.length).toBeLessThanOrEqual(1024);
  expect(memory.usedBytes).toBeLessThan(usedBytes / 50);
});

test('if the page is full, series with a single point leave it early', async () => {
  const memory = new SeriesMemory({ maxSeries: 100, maxBytes: 2 ** 30 }, { openMetrics: false, expirationMs: 300_000 });
  const nowMs = performance.now();
  for (let i = 0; i < 95; i++) record(memory, `single ${i}`, { family: 0, nowMs: nowMs - 31_000 });
  record(memory, 'fresh', { family: 0, nowMs });
  record(memory, 'updated', { family: 0, nowMs: nowMs - 50_000 });
  memory.series.seenMs[memory.series.find(memory.families.sorted()[0]!, Buffer.from('updated'))] = nowMs - 31_000;
  await memory.sweep(nowMs - 300_000);
  expect(memory.series.live).toBe(2);
  await memory.sweep(nowMs - 300_000);
  expect(memory.series.live).toBe(2);
});

test('a sweep reports that a reader has stopped it', async () => {
  const memory = new SeriesMemory({ maxSeries: 10, maxBytes: 2 ** 20 }, { openMetrics: false, expirationMs: 300_000 });
  await memory.whileReading(async () => expect(await memory.sweep(1)).toBe(false));
  expect(await memory.sweep(1)).toBe(true);
});
