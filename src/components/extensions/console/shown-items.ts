/** Items of telemetry as JSON, without what must not be shown. */
import type { TelemetryBatch } from '../../../engine/component.ts';
import type { AnyValue } from '../../../engine/otlp/any-value.ts';
import { rewriteSteps, type Item } from '../../../engine/otlp/items.ts';
import { toJsonValue, type JsonObject, type JsonValue } from '../../../engine/otlp/json-values.ts';
import { messageToObject } from '../../../engine/otlp/message-to-object.ts';
import { cleanName, cleanText, type Privacy } from '../../../privacy/privacy.ts';
import { withoutLiterals } from '../../../privacy/query-literals.ts';

/** A larger item is not decoded: a part of a secret does not look like one. */
const MAX_ITEM_BYTES = 16 * 1024;

/** The first items of a batch. Yields where other work may run. */
export function* shownItems(
  { signal, chunks }: Pick<TelemetryBatch, 'signal' | 'chunks'>,
  most: number,
  privacy: Privacy,
): Generator<undefined, readonly JsonObject[]> {
  const shown: JsonObject[] = [];
  for (const chunk of chunks) {
    const steps = rewriteSteps(signal, chunk, (item) => {
      if (shown.length < most) shown.push(shownItem(item, privacy));
      return 'keep';
    });
    while (shown.length < most && steps.next().done !== true) yield;
    if (shown.length >= most) break;
  }
  return shown;
}

function shownItem(item: Item, privacy: Privacy): JsonObject {
  const { type, bytes, metricName } = item;
  const head = { type, ...(metricName !== undefined && { metric: cleanName(metricName) }) };
  if (bytes.length > MAX_ITEM_BYTES) return { ...head, bytes: bytes.length, note: 'too large to show' };
  const cleaner = new Cleaner(privacy);
  return {
    ...head,
    ...cleaner.message(messageToObject(type, bytes)),
    resource: cleaner.attributes([...item.resource]),
  };
}

type Message = Readonly<Record<string, unknown>>;

/** Names that a sender gives. They may be whole statements. */
const NAMES: ReadonlySet<string> = new Set(['name', 'event_name', 'severity_text']);
/** Written by siphon's own decoder, as hexadecimal digits. */
const IDS: ReadonlySet<string> = new Set(['trace_id', 'span_id', 'parent_span_id']);
const QUERIES: ReadonlySet<string> = new Set(['db.query.text', 'db.statement']);

class Cleaner {
  readonly #privacy: Privacy;

  constructor(privacy: Privacy) {
    this.#privacy = privacy;
  }

  message(message: Message): JsonObject {
    return Object.fromEntries(Object.entries(message).map(([key, value]) => [key, this.#field(key, value)]));
  }

  attributes(pairs: readonly (readonly [string, AnyValue])[]): JsonObject {
    const system = pairs.find(([key]) => key === 'db.system.name' || key === 'db.system')?.[1];
    return Object.fromEntries(
      pairs.flatMap(([key, value]): [string, JsonValue][] => {
        const isQuery = QUERIES.has(key) && typeof value === 'string';
        const shown = isQuery ? withoutLiterals(value, typeof system === 'string' ? system : '') : value;
        const cleaned = this.#privacy.clean(key, shown);
        return cleaned === undefined ? [] : [[cleanText(key), toJsonValue(cleaned)]];
      }),
    );
  }

  #field(key: string, value: unknown): JsonValue {
    if (key === 'attributes' || key === 'filtered_attributes') return this.attributes(pairsOf(value));
    if (key === 'body') return toJsonValue(this.#privacy.clean('', valueOf(value as Message)) ?? null);
    if (typeof value === 'string') return IDS.has(key) ? value : NAMES.has(key) ? cleanName(value) : cleanText(value);
    if (Array.isArray(value)) return (value as readonly unknown[]).map((one) => this.#field('', one));
    return typeof value === 'object' && value !== null ? this.message(value as Message) : (value as JsonValue);
  }
}

function pairsOf(list: unknown): readonly (readonly [string, AnyValue])[] {
  return (list as readonly { readonly key?: string; readonly value?: Message }[]).map(({ key = '', value = {} }) => [
    key,
    valueOf(value),
  ]);
}

/** The value of an `AnyValue` that is decoded as a message. */
function valueOf(value: Message): AnyValue {
  const [[kind, content] = ['', null]] = Object.entries(value);
  if (kind === 'array_value') return listIn(content).map((one) => valueOf(one as Message));
  if (kind === 'kvlist_value') return new Map(pairsOf(listIn(content)));
  return content as string | number | boolean | null;
}

function listIn(content: unknown): readonly unknown[] {
  return (content as { readonly values?: readonly unknown[] }).values ?? [];
}
