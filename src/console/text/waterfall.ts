import { lockWaitLines, unknownWaitText } from '../lock-wait-text.ts';
import { errorOf, errorsOf, errorText, failedOf, type TraceError } from '../trace-errors.ts';
import type { LockWait, LogRecord, Span, Trace } from '../../engine/stored-telemetry.ts';
import { counted, durationText, fitted, oneLine, severityName, timeText, valueText } from '../store-text.ts';

export interface WaterfallOptions {
  readonly columns: number;
  readonly hasColours: boolean;
}

const OFFSET_WIDTH = 8;
const DURATION_WIDTH = 8;
const MIN_BAR = 10;
const MIN_NOTE = 20;
const MAX_NOTE_LINES = 4;
/** Deeper spans have the same indent. */
const MAX_DEPTH = 24;

const RED = 31;
const YELLOW = 33;
const DIM = 2;

/** A trace as text: spans below their parents, with a bar for their time; errors and log records in place. */
export function* waterfall(trace: Trace, options: WaterfallOptions): Generator<string> {
  yield* header(trace, options);
  yield '';
  const rows = new Rows(trace, options);
  for (const place of placesOf(trace)) yield* rows.of(place);
  const missing = [
    [trace.spanCount - trace.spans.length, 'span'],
    [trace.logCount - trace.logs.length, 'log line'],
  ] as const;
  for (const [count, name] of missing) if (count > 0) yield `… and ${counted(count, name)} more`;
}

function* header(
  { traceId, spans, logs, spanCount, logCount }: Trace,
  { columns }: WaterfallOptions,
): Generator<string> {
  const ids = new Set(spans.map(({ spanId }) => spanId));
  const root = spans.find(({ parentSpanId }) => parentSpanId === undefined) ?? spans.find(isOrphanIn(ids));
  const errors = errorsOf(spans, logs);
  const counts = [
    counted(spanCount, 'span'),
    `${failedOf(spans).length} failed`,
    counted(errors.length, 'error'),
    counted(logCount, 'log line'),
  ].join(', ');
  yield `Trace ${traceId}`;
  if (root !== undefined) yield fitted(`${oneLine(root.service)}  ${oneLine(root.name)}`, columns);
  const start = spans[0]?.startTimeUnixNano ?? logs[0]?.timeUnixNano;
  yield [start === undefined ? '' : timeText(start), durationText(durationOf(spans)), counts].join('  ');
}

type Item = { readonly span: Span } | { readonly log: LogRecord };

/** An item in the tree. */
type Place = Item & {
  readonly depth: number;
  readonly parent: Span | undefined;
  /** True for a span whose parent is not in the store. */
  readonly isOrphan: boolean;
};

/** The spans and log records in the order of the tree: parents first, then by time. */
function* placesOf({ spans, logs }: Trace): Generator<Place> {
  const ids = new Set(spans.map(({ spanId }) => spanId));
  const isOrphan = isOrphanIn(ids);
  const children = Map.groupBy(spans, ({ parentSpanId = '' }) => parentSpanId);
  const lines = Map.groupBy(logs, ({ spanId = '' }) => (ids.has(spanId) ? spanId : ''));
  const unseen = new Set(spans);
  const next: Place[] = [];
  const push = (items: readonly Item[], depth: number, parent?: Span): void => {
    const places = items.map((item) => ({ ...item, depth, parent, isOrphan: 'span' in item && isOrphan(item.span) }));
    next.push(...places.toSorted((a, b) => (timeOf(a) < timeOf(b) ? 1 : -1)));
  };
  const roots = spans.filter((span) => span.parentSpanId === undefined || isOrphan(span));
  push([...roots.map((span) => ({ span })), ...(lines.get('') ?? []).map((log) => ({ log }))], 0);
  for (;;) {
    const place = next.pop();
    if (place === undefined) {
      // The spans of a circle of parents have no root: the first one becomes it.
      const [first] = unseen;
      if (first === undefined) return;
      push([{ span: first }], 0);
      continue;
    }
    if ('span' in place && !unseen.delete(place.span)) continue;
    yield place;
    if (!('span' in place)) continue;
    const { span, depth } = place;
    const below = (children.get(span.spanId) ?? []).map((child) => ({ span: child }));
    push([...below, ...(lines.get(span.spanId) ?? []).map((log) => ({ log }))], depth + 1, span);
  }
}

function isOrphanIn(ids: ReadonlySet<string>): (span: Span) => boolean {
  return ({ parentSpanId }) => parentSpanId !== undefined && !ids.has(parentSpanId);
}

function timeOf(item: Item): bigint {
  return BigInt('log' in item ? item.log.timeUnixNano : item.span.startTimeUnixNano);
}

function durationOf(spans: readonly Span[]): number {
  const start = BigInt(spans[0]?.startTimeUnixNano ?? 0);
  return Math.max(0, ...spans.map((span) => sinceMs(start, span.startTimeUnixNano) + span.durationMs));
}

function sinceMs(start: bigint, unixNano: string): number {
  return Number(BigInt(unixNano) - start) / 1e6;
}

/** The lines of the items of one trace. */
class Rows {
  readonly #options: WaterfallOptions;
  readonly #start: bigint;
  readonly #durationMs: number;
  readonly #barWidth: number;
  readonly #errors: Map<string | undefined, TraceError[]>;
  readonly #events: Set<string>;
  readonly #waits: Map<string, LockWait[]>;
  /** The column of the names. */
  readonly #textStart: number;

  constructor(trace: Trace, options: WaterfallOptions) {
    const { spans, logs, lockWaits } = trace;
    this.#options = options;
    this.#start = BigInt(spans[0]?.startTimeUnixNano ?? logs[0]?.timeUnixNano ?? 0);
    this.#durationMs = durationOf(spans);
    this.#barWidth = Math.max(MIN_BAR, Math.floor(options.columns / 5));
    this.#textStart = OFFSET_WIDTH + DURATION_WIDTH + this.#barWidth + 5;
    const errors = errorsOf(spans, logs);
    this.#errors = Map.groupBy(errors, ({ spanId }) => spanId);
    this.#waits = Map.groupBy(lockWaits, ({ spanId }) => spanId);
    this.#events = new Set(spans.flatMap(({ spanId, events }) => (events.length === 0 ? [] : [spanId])));
  }

  *of(place: Place): Generator<string> {
    if ('log' in place) return yield* this.#log(place.log, place.depth);
    yield this.#span(place.span, place);
    yield* this.#problems(place.span, place.depth + 1);
    yield* this.#lockWaits(place.span, place.depth + 1);
  }

  #span(span: Span, { isOrphan, depth, parent }: Place): string {
    const { name, service, kind, status, durationMs } = span;
    const details = [
      ...(service === parent?.service ? [] : [service]),
      ...(parent === undefined || kind !== 'internal' ? [kind] : []),
      ...(isOrphan ? [`below ${span.parentSpanId}, which is not in the store`] : []),
    ];
    const isFailed = status.code === 'error';
    const offsetMs = sinceMs(this.#start, span.startTimeUnixNano);
    const text = `${isFailed ? '✗ ' : ''}${oneLine(name)}${details.length === 0 ? '' : `  (${oneLine(details.join(', '))})`}`;
    return this.#line({
      offsetMs,
      duration: durationText(durationMs),
      bar: this.#bar(offsetMs, durationMs),
      depth,
      text,
      colour: isFailed ? RED : undefined,
    });
  }

  /** The message of the status, and the errors of the span that no log record shows. */
  *#problems({ spanId, status, events }: Span, depth: number): Generator<string> {
    const errors = (this.#errors.get(spanId) ?? []).filter(({ type, message }) =>
      events.some(({ attributes }) => isSame(errorOf(spanId, attributes), type, message)),
    );
    const { message = '' } = status;
    if (message !== '' && !errors.some((error) => error.message === message)) yield* this.#notes(message, depth, RED);
    for (const error of errors) {
      yield* this.#notes(errorText(error), depth, RED);
      if (error.place !== '') yield this.#note(`  ${error.place}`, depth, DIM);
    }
  }

  *#lockWaits(span: Span, depth: number): Generator<string> {
    for (const wait of this.#waits.get(span.spanId) ?? []) {
      for (const line of lockWaitLines(wait)) {
        yield* this.#notes(line.text, depth + line.depth, line.depth === 0 ? YELLOW : DIM);
      }
    }
    const remark = unknownWaitText(span);
    if (remark !== undefined) yield* this.#notes(remark, depth, DIM);
  }

  *#log(log: LogRecord, depth: number): Generator<string> {
    const severity = severityName(log);
    const colour = log.severityNumber >= 17 ? RED : log.severityNumber >= 13 ? YELLOW : undefined;
    const text = `${severity} ${oneLine(valueText(log.body))}`;
    const offsetMs = sinceMs(this.#start, log.timeUnixNano);
    yield this.#line({ offsetMs, duration: '', bar: this.#mark(offsetMs), depth, text, colour });
    const error = errorOf(log.spanId, log.attributes);
    if (error !== undefined && this.#isOwn(error)) yield* this.#notes(errorText(error), depth + 1, colour ?? RED);
  }

  /** False if an event of a span is the same error, which is shown there. */
  #isOwn({ spanId, type, message }: TraceError): boolean {
    const isKnown = (this.#errors.get(spanId) ?? []).some((known) => known.type === type && known.message === message);
    return isKnown && !this.#events.has(spanId ?? '');
  }

  /** The text on up to four lines, so that it is readable in a narrow terminal. */
  *#notes(text: string, depth: number, colour: number): Generator<string> {
    const width = Math.max(MIN_NOTE, this.#options.columns - this.#textStart - indentOf(depth).length);
    const rest = Array.from(oneLine(text));
    for (let line = 1; rest.length > 0; line++) {
      const taken = line === MAX_NOTE_LINES ? rest : rest.splice(0, width);
      yield this.#note(taken.join(''), depth, colour);
      if (line === MAX_NOTE_LINES) return;
    }
  }

  #note(text: string, depth: number, colour: number): string {
    const indent = ' '.repeat(this.#textStart);
    return this.#coloured(fitted(`${indent}${indentOf(depth)}${oneLine(text)}`, this.#options.columns), colour);
  }

  #line({ offsetMs, duration, bar, depth, text, colour }: Line): string {
    const times = `${durationText(offsetMs).padStart(OFFSET_WIDTH)}  ${duration.padStart(DURATION_WIDTH)}`;
    const line = fitted(`${times}  ${bar} ${indentOf(depth)}${text}`, this.#options.columns);
    return colour === undefined ? line : this.#coloured(line, colour);
  }

  #bar(offsetMs: number, durationMs: number): string {
    const from = this.#cell(offsetMs);
    const to = Math.max(from + 1, Math.min(this.#position(offsetMs + durationMs), this.#barWidth));
    return `${' '.repeat(from)}${'━'.repeat(to - from)}`.padEnd(this.#barWidth);
  }

  #mark(offsetMs: number): string {
    return `${' '.repeat(this.#cell(offsetMs))}·`.padEnd(this.#barWidth);
  }

  /** Clocks of several machines differ, so a time may lie outside. */
  #cell(offsetMs: number): number {
    return Math.min(Math.max(0, this.#position(offsetMs)), this.#barWidth - 1);
  }

  #position(offsetMs: number): number {
    return this.#durationMs === 0 ? 0 : Math.round((offsetMs / this.#durationMs) * this.#barWidth);
  }

  #coloured(line: string, colour: number): string {
    return this.#options.hasColours ? `\u001B[${colour}m${line}\u001B[0m` : line;
  }
}

interface Line {
  readonly offsetMs: number;
  readonly duration: string;
  readonly bar: string;
  readonly depth: number;
  readonly text: string;
  readonly colour: number | undefined;
}

function isSame(error: TraceError | undefined, type: string, message: string): boolean {
  return error?.type === type && error.message === message;
}

function indentOf(depth: number): string {
  return '  '.repeat(Math.min(depth, MAX_DEPTH));
}
