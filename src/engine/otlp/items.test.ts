import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Signal, TelemetryBatch } from '../component.ts';
import { inspectRequest } from './inspect-request.ts';
import { atOnce } from '../time-slice.ts';
import { rewriteItems, rewriteSteps, type DecideItem, type Item } from './items.ts';
import { isMessage, itemMessages, messages, requestMessages } from './schema.ts';
import { WireWriter } from './wire-writer.ts';
import { gaugeBatch, spansBatch, toBatch } from '../../../tests/support/components/batches.ts';
import { arbitraryRequests } from '../../../tests/support/otlp/arbitrary-requests.ts';
import { otlpTree, type OtlpTree } from '../../../tests/support/otlp/otlp-tree.ts';

type Decision = 'keep' | 'drop' | 'replace';

const signals: readonly Signal[] = ['traces', 'metrics', 'logs'];
const decisions = fc.array(fc.constantFrom<Decision>('keep', 'drop', 'replace'), { minLength: 1, maxLength: 40 });

/** An item's bytes, and one more attribute. */
function marked({ type, bytes }: Item): Uint8Array {
  const writer = new WireWriter();
  writer.append(bytes);
  writer.messageField(messages.get(type)?.['attributes']?.number as number, () => writer.stringField(1, 'marked'));
  return writer.finish();
}

/** The same decisions on a decoded request. A message that has lost items and has none left is removed. */
function rewriteTree(type: string, tree: OtlpTree, decide: () => Decision): { tree: OtlpTree; items: number } {
  let [items, lost] = [0, 0];
  const kept = tree.flatMap<OtlpTree[number]>(([name, value]) => {
    const message = embedded(type, name);
    if (message === undefined || typeof value === 'string') return [[name, value]];
    if (!itemMessages.has(message)) {
      const inner = rewriteTree(message, value, decide);
      items += inner.items;
      if (inner.tree !== value) lost++;
      return inner.tree !== value && inner.items === 0 ? [] : [[name, inner.tree]];
    }
    const decision = decide();
    if (decision !== 'keep') lost++;
    if (decision === 'drop') return [];
    items++;
    return [[name, decision === 'keep' ? value : withMark(value)]];
  });
  return { tree: lost === 0 ? tree : kept, items };
}

function withMark(item: OtlpTree): OtlpTree {
  const mark: OtlpTree[number] = ['attributes', [['key', Buffer.from('marked').toString('hex')]]];
  return [...item, mark].toSorted(([a], [b]) => (a < b ? -1 : Number(a > b)));
}

function cycle<T>(values: readonly T[]): () => T {
  let at = 0;
  return () => values[at++ % values.length] as T;
}

/** Each item with its resource, scope and metric, as text. */
function contexts(type: string, tree: OtlpTree): string[] {
  const around = tree.filter(([name]) => !containsItems(type, name)).map((field) => JSON.stringify(field));
  return tree.flatMap(([name, value]) => {
    const message = embedded(type, name);
    if (message === undefined || !containsItems(type, name) || typeof value === 'string') return [];
    const items = itemMessages.has(message) ? [JSON.stringify(value)] : contexts(message, value);
    return items.map((item) => `${around.join()} > ${item}`);
  });
}

function containsItems(type: string, name: string): boolean {
  const message = embedded(type, name);
  if (message === undefined || message === 'AnyValue') return false;
  if (itemMessages.has(message)) return true;
  return Object.keys(messages.get(message) ?? {}).some((field) => containsItems(message, field));
}

/** The type of the message in a field. */
function embedded(type: string, name: string): string | undefined {
  const field = messages.get(type)?.[name]?.type;
  return field !== undefined && isMessage(field) ? field.message : undefined;
}

function checkedBatch(signal: Signal, request: Uint8Array): TelemetryBatch {
  return toBatch(signal, request, inspectRequest(signal, request));
}

function rewrite(...parameters: Parameters<typeof rewriteSteps>): readonly TelemetryBatch[] {
  return atOnce(rewriteSteps(...parameters));
}

describe.each(signals)('%s', (signal) => {
  it('keeps, drops and replaces items as the same decisions on the decoded request do', async () => {
    await fc.assert(
      fc.asyncProperty(arbitraryRequests(signal), decisions, async (request, choices) => {
        const [choose, chooseAgain] = [cycle(choices), cycle(choices)];
        const decide: DecideItem = (item) => {
          const choice = choose();
          return choice === 'replace' ? marked(item) : choice;
        };
        const { chunks, itemCount, sizeBytes } = await rewriteItems(checkedBatch(signal, request), decide);
        const before = otlpTree(signal, request);
        const { tree, items } = rewriteTree(requestMessages[signal], before, chooseAgain);
        expect(otlpTree(signal, Buffer.concat(chunks))).toEqual(tree !== before && items === 0 ? [] : tree);
        const counts = chunks.map((chunk) => inspectRequest(signal, chunk));
        expect(counts.reduce((total, count) => total + count, 0)).toBe(itemCount);
        expect(Buffer.concat(chunks)).toHaveLength(sizeBytes);
      }),
      { numRuns: 300 },
    );
  });

  it('cuts a request into parts that keep each item once, in order, with its resource, scope and metric', () => {
    fc.assert(
      fc.property(arbitraryRequests(signal), fc.integer({ min: 1, max: 5 }), (request, size) => {
        let seen = 0;
        const parts = rewrite(signal, request, () => (seen++ > 0 && (seen - 1) % size === 0 ? 'cut' : 'keep'));
        const type = requestMessages[signal];
        const found = parts.flatMap(({ chunks }) => contexts(type, otlpTree(signal, Buffer.concat(chunks))));
        expect(found).toEqual(contexts(type, otlpTree(signal, request)));
        expect(parts.slice(0, -1).every(({ itemCount }) => itemCount === size)).toBe(true);
      }),
      { numRuns: 200 },
    );
  });

  it('returns the same batch if nothing changes', async () => {
    await fc.assert(
      fc.asyncProperty(arbitraryRequests(signal), async (request) => {
        const batch = checkedBatch(signal, request);
        expect(await rewriteItems(batch, () => 'keep')).toBe(batch);
      }),
    );
  });
});

it('passes resource blocks without changes as slices of the request', () => {
  const chunks = [['a', 'b'], ['c'], ['d'], ['e', 'f']].map((names) => spansBatch(names).chunks[0] as Uint8Array);
  const request = Buffer.concat(chunks);
  const parts = rewrite('traces', request, (item) => (item.bytes.includes('c'.charCodeAt(0)) ? 'drop' : 'keep'));
  const kept = parts[0]?.chunks ?? [];
  expect(kept.map((chunk) => [chunk.buffer === request.buffer, chunk.length])).toEqual([
    [true, (chunks[0] as Uint8Array).length],
    [true, (chunks[2] as Uint8Array).length + (chunks[3] as Uint8Array).length],
  ]);
});

it('shows what a decision needs', async () => {
  const items: unknown[] = [];
  const gauge = gaugeBatch([1]);
  await rewriteItems(gauge, ({ type, metricName, attributes, resource }) => {
    items.push([type, metricName, [...attributes], [...resource]]);
    return 'keep';
  });
  const writer = new WireWriter();
  writer.messageField(1, () => {
    writer.messageField(2, () => writer.messageField(2, () => attribute(writer, 9, 'route')));
    writer.messageField(1, () => attribute(writer, 1, 'shop'));
  });
  await rewriteItems(toBatch('traces', writer.finish(), 1), ({ type, metricName, attributes, resource }) => {
    items.push([type, metricName, [...attributes], [...resource]]);
    return 'keep';
  });
  expect(items).toEqual([
    ['NumberDataPoint', 'level', [], []],
    ['Span', undefined, [['route', 'x']], [['shop', 'x']]],
  ]);
});

function attribute(writer: WireWriter, field: number, key: string): void {
  writer.messageField(field, () => {
    writer.stringField(1, key);
    writer.messageField(2, () => writer.stringField(1, 'x'));
  });
}

it('does not cut a request whose resource would be repeated many times', () => {
  const writer = new WireWriter();
  writer.messageField(1, () => {
    writer.messageField(1, () => attribute(writer, 1, 'x'.repeat(2_000_000)));
    writer.messageField(2, () => {
      for (let i = 0; i < 1000; i++) writer.messageField(2, () => {});
    });
  });
  const request = writer.finish();
  const parts = rewrite('traces', request, () => 'cut');
  expect(parts).toEqual([{ signal: 'traces', chunks: [request], itemCount: 1000, sizeBytes: request.length }]);
});

it('keeps few slices of a request whose items alternate', () => {
  const writer = new WireWriter();
  writer.messageField(1, () => {
    writer.messageField(2, () => {
      for (let i = 0; i < 10_000; i++) writer.messageField(2, () => writer.stringField(5, String(i % 2)));
    });
  });
  const request = writer.finish();
  const [part] = rewrite('traces', request, ({ bytes }) => (bytes.at(-1) === 0x30 ? 'keep' : 'drop'));
  expect(part?.itemCount).toBe(5000);
  expect(inspectRequest('traces', Buffer.concat(part?.chunks ?? []))).toBe(5000);
});
