import { describe, expect, it } from 'vitest';
import { readSpans } from './span-reader.ts';
import { WireWriter } from './wire-writer.ts';
import { batchOfSpans, spanId, TRACE_ID } from '../../../tests/support/otlp/otlp-spans.ts';

function readOne(write: (span: WireWriter) => void) {
  const writer = new WireWriter();
  writer.messageField(1, () => writer.messageField(2, () => writer.messageField(2, write)));
  return [...readSpans(writer.finish())][0]!;
}

describe('readSpans', () => {
  it('reads ids, names, times, attributes and events, with the resource they share', () => {
    const draft = {
      spanId: spanId(2),
      parentSpanId: spanId(1),
      name: 'GET',
      kind: 'client',
      attributes: { n: 1 },
    } as const;
    const [first, second] = readSpans(
      batchOfSpans([{ ...draft, events: [{ name: 'e', attributes: { k: 'v' } }] }, draft]).chunks[0]!,
    );
    expect(first).toMatchObject({
      traceId: TRACE_ID,
      spanId: spanId(2),
      parentSpanId: spanId(1),
      name: 'GET',
      kind: 'client',
    });
    expect(first!.endTimeUnixNano - first!.startTimeUnixNano).toBe(1_500_000n);
    expect(first!.attributes).toEqual(new Map([['n', 1]]));
    expect(first!.events).toMatchObject([{ name: 'e', attributes: new Map([['k', 'v']]) }]);
    expect(second!.resource).toBe(first!.resource);
    expect(first!.resource.get('service.name')).toBe('coffee');
  });

  it('finds a resource after its spans', () => {
    const writer = new WireWriter();
    writer.messageField(1, () => {
      writer.messageField(2, () => writer.messageField(2, () => writer.stringField(5, 'a')));
      writer.messageField(1, () => writer.messageField(1, () => writer.stringField(1, 'key')));
    });
    expect([...readSpans(writer.finish())][0]!.resource).toEqual(new Map([['key', null]]));
  });

  it.each([
    [undefined, undefined],
    [0, undefined],
    [0x100, false],
    [0x300, true],
  ])('reads from the flags %s whether the parent is remote', (flags, expected) => {
    const span = readOne((writer) => flags !== undefined && writer.fixed32Field(16, flags));
    expect(span.parentIsRemote).toBe(expected);
  });

  it.each([[new Uint8Array(0)], [new Uint8Array(8)]])('takes a parent id of %j for none', (id) => {
    expect(readOne((writer) => writer.bytesField(4, id)).parentSpanId).toBeUndefined();
  });

  it('reads a status and a value in parts, as one', () => {
    const { status, attributes } = readOne((writer) => {
      writer.messageField(15, () => writer.stringField(2, 'no'));
      writer.messageField(15, () => writer.varintField(3, 2));
      writer.messageField(9, () => {
        writer.stringField(1, 'k');
        writer.messageField(2, () => writer.stringField(1, 'v'));
        writer.messageField(2, () => undefined);
      });
    });
    expect(status).toEqual({ code: 'error', message: 'no' });
    expect(attributes).toEqual(new Map([['k', 'v']]));
  });

  it('reads status and links', () => {
    const span = readOne((writer) => {
      writer.messageField(15, () => {
        writer.stringField(2, 'no');
        writer.varintField(3, 2);
      });
      writer.messageField(13, () => writer.bytesField(2, Buffer.from(spanId(7), 'hex')));
    });
    expect(span.status).toEqual({ code: 'error', message: 'no' });
    expect(span.links).toMatchObject([{ spanId: spanId(7) }]);
  });
});
