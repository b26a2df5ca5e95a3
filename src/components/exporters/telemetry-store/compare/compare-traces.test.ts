import { expect, it, test } from 'vitest';
import { startStore } from '../../../../../tests/support/components/running-store.ts';
import { batchOfSpans, spanId, type SpanDraft } from '../../../../../tests/support/otlp/otlp-spans.ts';
import { chanceOfMore, chanceOfRise, chanceOfShare, differenceOfShares } from './significance.ts';
import type { ComparedTraces } from '../../../../engine/stored-telemetry.ts';

/** `npm run simulate:compare` sets 1000. */
const SCENARIOS = Number(process.env['SIPHON_COMPARE_SCENARIOS'] ?? 20);
const TRACES = 2400;
const START_MS = Date.parse('2026-01-31T12:00:00Z');
const FROM_MS = START_MS + 600_000;
const TO_MS = START_MS + 720_000;
const BETWEEN = `between=${new Date(FROM_MS).toISOString()},${new Date(TO_MS).toISOString()}`;

/** How many values each attribute has; some values are rare, and those of the last are all different. */
const CARDINALITIES = { store: 8, region: 3, version: 2, table: 12, customer: 200, method: 4, request: Infinity };
type AttributeName = keyof typeof CARDINALITIES;
const NAMES = Object.keys(CARDINALITIES) as AttributeName[];

interface Fault {
  readonly attribute: AttributeName;
  readonly value: string;
  readonly kind: 'slow' | 'failing';
}

/** A generator whose numbers can be repeated (mulberry32). */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** Requests of three routes with a query each. One region is always slower, and one route is. */
function scenario(random: () => number, fault: Fault | undefined): SpanDraft[] {
  return Array.from({ length: TRACES }, (_, trace) => trace).flatMap((trace) => {
    const route = Math.floor(random() * 3);
    const attributes = Object.fromEntries(
      NAMES.map((name) => {
        const many = CARDINALITIES[name];
        // Low numbers are more frequent.
        return [name, many === Infinity ? `${name}-${trace}` : `${name}-${Math.floor(random() ** 1.5 * many)}`];
      }),
    );
    const startMs = START_MS + random() * 1_200_000;
    const isFaulty =
      fault !== undefined && startMs >= FROM_MS && startMs <= TO_MS && attributes[fault.attribute] === fault.value;
    const usualMs =
      (20 + 60 * route) * Math.exp(random() + random() - 1) * (attributes['region'] === 'region-1' ? 1.6 : 1);
    const durationMs = isFaulty && fault.kind === 'slow' ? usualMs * (4 + 10 * random()) : usualMs;
    const isFailed = isFaulty && fault.kind === 'failing' ? random() < 0.7 : random() < 0.01;
    const ids = { traceId: (trace + 1).toString(16).padStart(32, '0') };
    const startTimeUnixNano = BigInt(Math.round(startMs * 1e6));
    const durationNano = BigInt(Math.round(durationMs * 1e6));
    const status = isFailed ? { statusMessage: 'it failed' } : {};
    const [root, child] = [spanId(2 * trace + 1), spanId(2 * trace + 2)];
    return [
      { ...ids, spanId: root, name: `GET /route-${route}`, kind: 'server', startTimeUnixNano, durationNano, ...status },
      { ...ids, spanId: child, parentSpanId: root, name: 'SELECT', startTimeUnixNano, durationNano, attributes },
    ];
  });
}

async function compared(
  spans: readonly SpanDraft[],
  query: string,
): Promise<ComparedTraces & { readonly error?: string }> {
  await using started = await startStore();
  // The spans of a trace may be in different requests, and in different segments.
  for (let first = 0; first < spans.length; first += 333)
    await started.store.consume(batchOfSpans(spans.slice(first, first + 333)));
  return (await started.ask(`/api/compare?${query}`)).body;
}

it(`ranks a planted fault first in 95 % of ${SCENARIOS} scenarios`, { timeout: SCENARIOS * 1000 }, async () => {
  let first = 0;
  for (let seed = 1; seed <= SCENARIOS; seed++) {
    const random = randomFrom(seed);
    const attribute = NAMES[Math.floor(random() * 4)] as AttributeName;
    const value = `${attribute}-${Math.floor(random() * Math.min(4, CARDINALITIES[attribute]))}`;
    const fault: Fault = { attribute, value, kind: random() < 0.5 ? 'slow' : 'failing' };
    const { differences } = await compared(scenario(random, fault), BETWEEN);
    if (differences[0]?.attribute === attribute && differences[0].value === value) first++;
  }
  expect(first / SCENARIOS).toBeGreaterThanOrEqual(0.95);
});

it(`reports nothing without a fault in 99 % of ${SCENARIOS} scenarios`, { timeout: SCENARIOS * 1000 }, async () => {
  let [silent, tests] = [0, 0];
  for (let seed = 1; seed <= SCENARIOS; seed++) {
    const { differences, tested } = await compared(scenario(randomFrom(-seed), undefined), BETWEEN);
    tests += tested;
    if (differences.length === 0) silent++;
  }
  expect(tests).toBeGreaterThan(0);
  expect(silent / SCENARIOS).toBeGreaterThanOrEqual(0.99);
});

/** Ten traces with an attribute and twenty without it, all but the last of two spans; the attribute is on the second. */
function tenOfThirty(failing: 'root' | 'child' = 'root'): SpanDraft[] {
  return Array.from({ length: 30 }, (_, trace) => trace).flatMap((trace) => {
    const isSelected = trace < 10;
    const ids = {
      traceId: (trace + 1).toString(16).padStart(32, '0'),
      startTimeUnixNano: BigInt(START_MS) * 1_000_000n,
    };
    const broken = (span: typeof failing): Partial<SpanDraft> =>
      isSelected && span === failing ? { statusMessage: 'broken' } : {};
    const root = { ...ids, spanId: spanId(3 * trace + 1), name: 'GET', ...broken('root') };
    const child = {
      ...ids,
      spanId: spanId(3 * trace + 2),
      parentSpanId: root.spanId,
      name: 'load',
      attributes: { store: isSelected ? 'a' : 'b' },
      ...broken('child'),
    };
    return [root, child, { ...child, spanId: spanId(3 * trace + 3) }];
  });
}

it('counts traces exactly, whatever the number of their spans and requests', async () => {
  const { selectedTraces, aroundTraces, differences } = await compared(tenOfThirty(), 'status=error');
  expect({ selectedTraces, aroundTraces }).toEqual({ selectedTraces: 10, aroundTraces: 20 });
  expect(differences).toEqual([
    {
      attribute: 'store',
      value: 'a',
      selected: { count: 10, of: 10 },
      around: { count: 0, of: 20 },
      difference: 1,
      low: expect.closeTo(0.68, 2) as number,
      high: 1,
    },
  ]);
});

it('selects a trace by the status of any of its spans, as the list of traces does', async () => {
  const { selectedTraces, aroundTraces, differences } = await compared(tenOfThirty('child'), 'status=error');
  expect({ selectedTraces, aroundTraces }).toEqual({ selectedTraces: 10, aroundTraces: 20 });
  expect(differences).toMatchObject([{ attribute: 'store', value: 'a' }]);
});

it('counts a trace once whose spans arrive far apart, with others between them', async () => {
  const [roots, children] = [tenOfThirty(), tenOfThirty()].map((spans, part) =>
    spans.map((span) => ({
      ...span,
      spanId: (BigInt(`0x${span.spanId}`) + BigInt(part * 1000)).toString(16).padStart(16, '0'),
    })),
  );
  const between = Array.from({ length: 20_000 }, (_, number): SpanDraft => ({
    traceId: 'f'.repeat(32),
    spanId: spanId(number + 5000),
    startTimeUnixNano: BigInt(START_MS) * 1_000_000n,
    attributes: { request: `request-${number}` },
  }));
  const { differences, aroundTraces } = await compared([...roots!, ...between, ...children!], 'status=error');
  expect(aroundTraces).toBe(21);
  expect(differences).toMatchObject([{ attribute: 'store', value: 'a', selected: { count: 10, of: 10 } }]);
});

it('finds a value that is new, and leaves out from which connection of a pool it came', async () => {
  const spans = Array.from({ length: 162 }, (_, trace): SpanDraft => {
    const isWithin = trace >= 126;
    const isNew = isWithin && trace % 3 === 0;
    return {
      traceId: (trace + 1).toString(16).padStart(32, '0'),
      spanId: spanId(trace + 1),
      name: 'GET /items',
      kind: 'server',
      startTimeUnixNano: BigInt(isWithin ? FROM_MS + trace : START_MS + trace) * 1_000_000n,
      durationNano: BigInt(isNew ? 600 : 5 + (trace % 20)) * 1_000_000n,
      attributes: { country: isNew ? 'fr' : 'de', 'db.postgresql.backend.pid': isNew ? 77 : 78 },
    };
  });
  const { differences } = await compared(spans, BETWEEN);
  expect(differences).toMatchObject([
    {
      attribute: 'country',
      value: 'fr',
      selected: { count: 12, of: 12 },
      around: { count: 0, of: 0 },
      difference: 23 / 24,
    },
  ]);
});

it('takes what the operation of a metric’s exemplars is, and refuses a metric without any', async () => {
  const { error } = await compared(tenOfThirty(), 'status=error&metric=http.server.request.duration');
  expect(error).toContain('no span that an exemplar of http.server.request.duration refers to');
});

test.each([
  ['', 'between, status or min_duration is required'],
  ['spans=slow', 'between, status or min_duration is required'],
  ['between=10m', 'between must be two times with a comma'],
  ['between=10m,15m', 'must begin with the earlier time'],
  ['between=now,10m', 'between must be a duration such as 15m'],
  ['between=15m,10m&spans=slow&status=error', 'spans cannot be combined'],
  ['betwen=15m,10m', 'did you mean between'],
])('refuses %j', async (query, message) => {
  expect((await compared([], query)).error).toContain(message);
});

it('does not compare with a past that the store does not have', async () => {
  const recent = tenOfThirty().map((span) => ({ ...span, startTimeUnixNano: BigInt(FROM_MS) * 1_000_000n }));
  const { selectedTraces, tested, differences, hint } = await compared(recent, BETWEEN);
  expect({ selectedTraces, tested, differences }).toEqual({ selectedTraces: 10, tested: 0, differences: [] });
  expect(hint).toBe('the store has too few traces outside of the time to compare with: 0');
});

test('reports that there is nothing to compare, instead of inventing a difference', async () => {
  const answer = await compared(tenOfThirty().slice(0, 3), 'status=error');
  expect(answer).toMatchObject({ selectedTraces: 1, aroundTraces: 0, tested: 0, differences: [] });
});

function chance(first: number, firstOf: number, second: number, secondOf: number): number {
  return chanceOfMore(chanceOfShare({ count: first, of: firstOf }, { count: second, of: secondOf }));
}

// The expected values are sums of products of binomial coefficients.
test('the chance of a share is that of Fisher’s exact test', () => {
  expect(chance(3, 4, 1, 4)).toBeCloseTo(17 / 70, 12);
  expect(chance(10, 12, 1, 13)).toBeCloseTo(1015 / 5_200_300, 12);
  expect(chance(0, 9, 4, 9)).toBeCloseTo(1, 12);
  expect(chance(90_000, 100_000, 1, 100_000)).toBe(0);
});

test('the chance of a rise is that of Zelen’s exact test', () => {
  // 3 of 4 after 1 of 4, and 1 of 4 after 1 of 4: the products of the coefficients for 2, 3 and 4.
  const rise = { after: { count: 3, of: 4 }, before: { count: 1, of: 4 } };
  const others = { after: { count: 1, of: 4 }, before: { count: 1, of: 4 } };
  const [two, three, four] = [36 * 6, 16 * 16, 6];
  expect(chanceOfMore(chanceOfRise(rise, others))).toBeCloseTo((three + four) / (two + three + four), 12);
});

test('the bounds of a difference are those of Newcombe', () => {
  const { difference, low, high } = differenceOfShares({ count: 56, of: 70 }, { count: 48, of: 80 });
  expect(difference).toBeCloseTo(0.2, 10);
  expect(low).toBeCloseTo(0.0524, 4);
  expect(high).toBeCloseTo(0.3339, 4);
});
