import type { Item, ItemVerdict } from '../../../engine/otlp/items.ts';
import { fieldTags } from '../../../engine/otlp/schema.ts';
import { WireReader } from '../../../engine/otlp/wire-reader.ts';
import { WireWriter } from '../../../engine/otlp/wire-writer.ts';
import type { Steps, Work } from '../../../pattern/work.ts';
import { holds, type Test } from './condition.ts';

const EVENTS = fieldTags('Span').events;
const STEP_FIELDS = 256;

/** The span without the events for which the test holds. */
export function* withoutEvents(item: Item, test: Test, work: Work): Steps<ItemVerdict> {
  const { bytes } = item;
  const writer = new WireWriter(bytes.length);
  let kept = 0;
  let fields = 0;
  for (const reader = new WireReader(bytes); !reader.done;) {
    const start = reader.position;
    const tag = reader.tag();
    const event = tag === EVENTS ? reader.bytes() : undefined;
    if (event === undefined) reader.skip(tag);
    else if (yield* holds(test, { item, event }, work)) {
      writer.appendSlice(bytes, kept, start);
      kept = reader.position;
    }
    if (++fields % STEP_FIELDS === 0) yield;
  }
  if (kept === 0) return 'keep';
  writer.appendSlice(bytes, kept, bytes.length);
  return writer.finish();
}
