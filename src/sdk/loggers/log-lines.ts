/** Sends the lines that the service logs as log records, besides the output of its logger. */
import { diag, isSpanContextValid, SeverityNumber, trace, context, type SpanContext } from '@opentelemetry/api';
import { millisToHrTime } from '@opentelemetry/core';
import type { ReadableLogRecord } from '@opentelemetry/sdk-logs';
import { cleanText, Privacy } from '../../privacy/privacy.ts';
import { exceptionAttributes } from '../exceptions.ts';
import { INSTRUMENTATION_SCOPE } from '../recorders.ts';
import { addSpanProcessor } from '../span-processors.ts';

/** A line as its logger has written it. */
export interface WrittenLine {
  /** The fields, as the logger has written them. Secrets that it redacts are not in it. Empty if it has none. */
  readonly json: string;
  /** Anything else than a text is in `json`. */
  readonly message: unknown;
  /** The number of a level of pino. */
  readonly level: number;
  /** The error, and its field in `json`. */
  readonly error?: { readonly field: string; readonly value: Error } | undefined;
  /** The field of the message; `msg` if absent. */
  readonly messageField?: string | undefined;
  /** The field that contains those of the call. */
  readonly nestedField?: string | undefined;
}

export interface LogLinesSettings {
  /** Queues records for delivery. Calls `onLost` if there is no room. */
  readonly exportLogs: (records: ReadableLogRecord[], onLost: () => void) => void;
  readonly resource: ReadableLogRecord['resource'];
  /** True to let personal attributes through. */
  readonly personal: boolean;
}

/** Then many lines share an export. */
const EXPORT_AFTER_MS = 1000;
const MAX_RECORDS_AN_EXPORT = 512;
const MAX_WAITING = 4096;
const MAX_WAITING_CHARACTERS = 4 * 1024 * 1024;
/** The fields of a longer line are not sent, only the beginning of its message. */
const MAX_LINE_CHARACTERS = 64 * 1024;
const MAX_MESSAGE_CHARACTERS = 16 * 1024;
const MAX_ATTRIBUTES = 128;
const MAX_DEPTH = 4;

let current: LogLines | undefined;

/** Begins to send. */
export function sendLogLines(settings: LogLinesSettings): void {
  current = new LogLines(settings);
}

/** Takes a line that was written in the active span. Does nothing unless lines are sent. */
export function takeLine(line: WrittenLine): void {
  current?.take(line);
}

/** Takes an exception that ends the process. */
export function takeUncaught(name: string, error: unknown, spanContext: SpanContext): void {
  current?.takeUncaught(name, error, spanContext);
}

interface WaitingLine extends WrittenLine {
  readonly timeMs: number;
  readonly spanContext: SpanContext | undefined;
}

/** Waits with the conversion until lines are exported, so that a line costs the service little. */
class LogLines {
  readonly #settings: LogLinesSettings;
  readonly #privacy: Privacy;
  #waiting: (WaitingLine | ReadableLogRecord)[] = [];
  #characters = 0;
  #lost = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(settings: LogLinesSettings) {
    this.#settings = settings;
    this.#privacy = new Privacy({ personal: settings.personal });
    addSpanProcessor({ forceFlush: async () => this.#flush() });
  }

  take(line: WrittenLine): void {
    const length = line.json.length + (typeof line.message === 'string' ? line.message.length : 0);
    if (this.#waiting.length >= MAX_WAITING || this.#characters + length > MAX_WAITING_CHARACTERS) {
      this.#lost++;
      return;
    }
    this.#characters += length;
    const spanContext = trace.getSpanContext(context.active());
    const isWithin = spanContext !== undefined && isSpanContextValid(spanContext);
    this.#add({ ...line, timeMs: Date.now(), spanContext: isWithin ? spanContext : undefined });
  }

  takeUncaught(name: string, error: unknown, spanContext: SpanContext): void {
    this.#add({
      ...this.#recordAt(Date.now(), spanContext),
      severityNumber: SeverityNumber.FATAL,
      severityText: 'FATAL',
      body: name,
      attributes: this.#cleaned(Object.entries(exceptionAttributes(error))),
    });
  }

  #add(item: WaitingLine | ReadableLogRecord): void {
    this.#waiting.push(item);
    this.#timer ??= setTimeout(() => this.#flush(), EXPORT_AFTER_MS).unref();
  }

  #flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#reportLost();
    const items = this.#waiting;
    this.#waiting = [];
    this.#characters = 0;
    for (let first = 0; first < items.length; first += MAX_RECORDS_AN_EXPORT) {
      const part = items.slice(first, first + MAX_RECORDS_AN_EXPORT);
      const records = part.map((item) => ('json' in item ? this.#toRecord(item) : item));
      this.#settings.exportLogs(records, () => (this.#lost += records.length));
    }
  }

  /** A record with the number is where somebody looks for the lines. */
  #reportLost(): void {
    if (this.#lost === 0) return;
    diag.warn(`siphon: log lines lost: ${this.#lost}`);
    this.#waiting.push({
      ...this.#recordAt(Date.now(), undefined),
      severityNumber: SeverityNumber.WARN,
      severityText: 'WARN',
      body: `${this.#lost} log lines were not sent, because too many waited`,
      attributes: { 'siphon.lost_log_lines': this.#lost },
    });
    this.#lost = 0;
  }

  #toRecord(line: WaitingLine): ReadableLogRecord {
    const { json, message, level, error, messageField = 'msg', nestedField = '', timeMs, spanContext } = line;
    const { [nestedField]: nested, ...top } = fieldsOf(json);
    const fields = typeof nested === 'object' ? { ...top, ...nested } : top;
    const hasError = error !== undefined && (json === '' || fields[error.field] !== undefined);
    const own = typeof message === 'string' ? message : fields[messageField];
    const text = typeof own === 'string' ? own : JSON.stringify(own ?? '');
    const hidden = new Set([...OWN_FIELDS, messageField, ...(hasError ? [error.field] : [])]);
    const attributes = Object.entries(fields).filter(([name]) => !hidden.has(name));
    return {
      ...this.#recordAt(timeMs, spanContext),
      ...severityOf(level),
      body: cleanText(text.slice(0, MAX_MESSAGE_CHARACTERS)),
      attributes: this.#cleaned([
        ...flattened(attributes),
        ...(hasError ? Object.entries(exceptionAttributes(error.value)) : []),
      ]),
    };
  }

  #recordAt(timeMs: number, spanContext: SpanContext | undefined) {
    const hrTime = millisToHrTime(timeMs);
    return {
      hrTime,
      hrTimeObserved: hrTime,
      ...(spanContext !== undefined && { spanContext }),
      resource: this.#settings.resource,
      instrumentationScope: { name: INSTRUMENTATION_SCOPE },
      droppedAttributesCount: 0,
    };
  }

  #cleaned(values: Iterable<readonly [name: string, value: unknown]>): ReadableLogRecord['attributes'] {
    const attributes: Record<string, string | number | boolean> = {};
    for (const [name, value] of values) {
      const cleaned = this.#privacy.clean(name, value as string);
      if (cleaned !== undefined) attributes[name] = cleaned as string;
    }
    return attributes;
  }
}

/** They are the record's own: time, severity, body and span; the process is the resource. */
const OWN_FIELDS = ['level', 'time', 'pid', 'hostname', 'trace_id', 'span_id', 'trace_flags'];

function fieldsOf(json: string): Readonly<Record<string, unknown>> {
  if (json.length > MAX_LINE_CHARACTERS) return {};
  try {
    const fields: unknown = JSON.parse(json);
    return typeof fields === 'object' && fields !== null ? (fields as Record<string, unknown>) : {};
  } catch {
    // A formatter of the service may write something else.
    return {};
  }
}

/** Objects become one attribute for each of their values, so that the list of secrets sees all names. */
function* flattened(
  fields: readonly (readonly [name: string, value: unknown])[],
  budget = { left: MAX_ATTRIBUTES },
  depth = 1,
): Generator<readonly [name: string, value: string | number | boolean]> {
  for (const [name, value] of fields) {
    if (budget.left === 0) return;
    if (value === null || value === undefined) continue;
    if (typeof value === 'object' && depth < MAX_DEPTH) {
      yield* flattened(
        Object.entries(value).map(([key, inner]) => [`${name}.${key}`, inner]),
        budget,
        depth + 1,
      );
      continue;
    }
    budget.left--;
    const isPlain = typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
    yield [name, isPlain ? value : JSON.stringify(value)];
  }
}

const SEVERITIES = [
  { below: 20, severityNumber: SeverityNumber.TRACE, severityText: 'TRACE' },
  { below: 30, severityNumber: SeverityNumber.DEBUG, severityText: 'DEBUG' },
  { below: 40, severityNumber: SeverityNumber.INFO, severityText: 'INFO' },
  { below: 50, severityNumber: SeverityNumber.WARN, severityText: 'WARN' },
  { below: 60, severityNumber: SeverityNumber.ERROR, severityText: 'ERROR' },
];

/** Levels of the service's own lie between those of pino. */
function severityOf(level: number): Pick<ReadableLogRecord, 'severityNumber' | 'severityText'> {
  const found = SEVERITIES.find(({ below }) => level < below);
  const { severityNumber, severityText } = found ?? { severityNumber: SeverityNumber.FATAL, severityText: 'FATAL' };
  return { severityNumber, severityText };
}
