import { ByteDictionary, MAX_ENTRIES, type DictionaryContent } from './byte-dictionary.ts';
import { Columns, type ColumnsContent } from './columns.ts';
import { Words } from './words.ts';

const one = { bits: 16, cells: 1 } as const;
/** A 64-bit number as its low and its high half. */
const long = { bits: 32, cells: 2 } as const;

/**
 * Numbers refer to the dictionaries of the segment. `traits` are the bits of `SpanTrait`. `details` is where the span's words
 * begin: see `record.ts`.
 */
const SPAN_SHAPE = {
  trace: one,
  name: one,
  resource: one,
  scope: one,
  traits: one,
  spanId: long,
  parentId: long,
  startNs: long,
  endNs: long,
  details: { bits: 32, cells: 1 },
} as const;

/** `trace`, `severityText` and `eventName` are numbers + 1, and 0 for none. */
const LOG_SHAPE = {
  trace: one,
  resource: one,
  scope: one,
  severity: one,
  severityText: one,
  eventName: one,
  spanId: long,
  timeNs: long,
  details: { bits: 32, cells: 1 },
} as const;

export type SpanColumns = Columns<keyof typeof SPAN_SHAPE>;
export type LogColumns = Columns<keyof typeof LOG_SHAPE>;

/** A sealed segment as values that can be written to a file. */
export interface SegmentContent {
  readonly texts: DictionaryContent;
  readonly pairs: DictionaryContent;
  readonly lists: DictionaryContent;
  readonly traces: DictionaryContent;
  readonly spanCount: number;
  readonly spans: ColumnsContent<keyof typeof SPAN_SHAPE>;
  readonly logCount: number;
  readonly logs: ColumnsContent<keyof typeof LOG_SHAPE>;
  readonly words: Uint16Array;
}

/** The most entries that a span or log record adds to a dictionary; the intake cuts what has more. */
export const MAX_PARTS = 4096;

/** Beyond this number, the next item may not fit. An item adds few entries to the other dictionaries. */
const MOST_ENTRIES = MAX_ENTRIES - 2 * MAX_PARTS;
/** The size is measured once for so many items. */
const MEASURED_ITEMS = 64;

/**
 * A part of the store: spans and log records that arrived one after the other, and dictionaries of their own. So a segment
 * can be searched, evicted and written to a file without the others.
 */
export class Segment {
  /** Names, versions, messages, as UTF-8. */
  readonly texts: ByteDictionary;
  /** Attributes and bodies, as encoded `KeyValue`. A body has no key. */
  readonly pairs: ByteDictionary;
  /** Resources and scopes, as the words of their parts. */
  readonly lists: ByteDictionary;
  /** The ids of the traces. */
  readonly traces: ByteDictionary;
  readonly spans: SpanColumns;
  readonly logs: LogColumns;
  readonly words: Words;
  /** How many spans and log records arrived before those in here. Undefined if they come from evicted segments. */
  readonly arrivals: { readonly spans: number; readonly logs: number } | undefined;
  #sealedBytes: number | undefined;

  constructor(arrivals?: Segment['arrivals'], content?: SegmentContent) {
    this.arrivals = arrivals;
    const dictionary = (name: 'texts' | 'pairs' | 'lists' | 'traces'): ByteDictionary =>
      content === undefined ? new ByteDictionary() : ByteDictionary.from(content[name]);
    this.texts = dictionary('texts');
    this.pairs = dictionary('pairs');
    this.lists = dictionary('lists');
    this.traces = dictionary('traces');
    this.spans = content === undefined ? new Columns(SPAN_SHAPE) : Columns.from(SPAN_SHAPE, content.spans, content.spanCount); // prettier-ignore
    this.logs = content === undefined ? new Columns(LOG_SHAPE) : Columns.from(LOG_SHAPE, content.logs, content.logCount); // prettier-ignore
    this.words = content === undefined ? new Words() : Words.from(content.words);
    if (content !== undefined) this.#sealedBytes = this.heldBytes;
  }

  /** Nothing more can be added. */
  get isSealed(): boolean {
    return this.#sealedBytes !== undefined;
  }

  /** After `seal`. */
  get content(): SegmentContent {
    const { texts, pairs, lists, traces, spans, logs, words } = this;
    return {
      texts: texts.content,
      pairs: pairs.content,
      lists: lists.content,
      traces: traces.content,
      spanCount: spans.count,
      spans: spans.cells,
      logCount: logs.count,
      logs: logs.cells,
      words: words.content,
    };
  }

  get heldBytes(): number {
    if (this.#sealedBytes !== undefined) return this.#sealedBytes;
    return this.#parts.reduce((sum, { heldBytes }) => sum + heldBytes, 0);
  }

  /** Spans and log records. */
  get count(): number {
    return this.spans.count + this.logs.count;
  }

  /** True if the next item may not fit. @param maxBytes the size at which another segment begins. */
  isFull(maxBytes: number): boolean {
    if (this.pairs.count > MOST_ENTRIES || this.texts.count > MOST_ENTRIES) return true;
    return this.count % MEASURED_ITEMS === 0 && this.heldBytes >= maxBytes;
  }

  /** Nothing more is added: gives back the memory for that. */
  seal(): void {
    if (this.isSealed) return;
    for (const part of this.#parts) part.seal();
    this.#sealedBytes = this.heldBytes;
  }

  get #parts(): readonly { readonly heldBytes: number; seal(): void }[] {
    return [this.texts, this.pairs, this.lists, this.traces, this.spans, this.logs, this.words];
  }
}

/** The bits of the column `traits`: the kind in the lowest three, the status in the next two. */
export const SpanTrait = { kind: 7, statusShift: 3, status: 3, hasRemoteKnown: 32, isRemote: 64, hasException: 128 };
