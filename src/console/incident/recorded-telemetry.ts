import { parseDuration } from '../../engine/schema/duration.ts';
import type { Attributes, ErrorGroup, LogRecord, Span, Trace } from '../../engine/stored-telemetry.ts';
import { wildcard } from '../../engine/wildcard.ts';
import { valueText } from '../store-text.ts';
import { comparedTraces } from '../trace-comparison.ts';
import { idPairOf } from '../trace-pair.ts';
import type { RecordedTrace, Recording } from './recording.ts';

type Query = Readonly<Record<string, string | undefined>>;

/** Answers the questions of the page about traces, logs, errors, alerts and pipelines from a file, as the sidecar would. */
export class RecordedTelemetry {
  readonly #recording: Recording;

  constructor(recording: Recording) {
    this.#recording = recording;
  }

  /** @param path below `/api/`. @throws Error with a message for the reader. */
  async ask(path: string, query: Query): Promise<unknown> {
    const { rules, answers, errors } = this.#recording;
    const [collection = '', id] = path.split('/');
    if (collection === 'traces') return id === undefined ? this.#traces(query) : this.#trace(decodeURIComponent(id));
    if (collection === 'logs') return this.#logs(query);
    if (collection === 'errors' && errors !== undefined) return errorsOf(errors, query);
    if (path === 'v1/rules' && rules !== undefined) return { data: rules };
    if (collection === 'trace-comparison') return this.#comparison(id);
    if (answers.has(path)) return answers.get(path);
    throw new Error('The file does not have this');
  }

  #traces(query: Query): object {
    const fits = spanTest(query);
    const ofRoots = [query['operation'], query['status'], query['attribute']].every((text) => (text ?? '') === '');
    const found = this.#recording.traces.filter(({ trace: { spans } }) =>
      (ofRoots ? localRoots(spans) : spans).some(fits),
    );
    const newest = found
      .map(({ summary }) => summary)
      .toSorted(byStart)
      .toReversed();
    const limit = Number(query['limit'] ?? 20);
    return {
      traces: newest.slice(0, limit),
      left: Math.max(0, newest.length - limit),
      hint: 'No trace of the file fits',
    };
  }

  #comparison(ids = ''): object {
    const [first, second] = (idPairOf(ids) ?? []).map((id) => this.#trace(decodeURIComponent(id)));
    if (first === undefined || second === undefined) throw new Error('Give two trace ids, as in ID...ID');
    return comparedTraces(first, second);
  }

  #trace(id: string): Trace {
    const found = this.#recording.traces.find(({ trace }) => trace.traceId.startsWith(id.toLowerCase()));
    if (found === undefined) throw new Error(`The file does not have the trace ${id}`);
    return found.trace;
  }

  /** The log of a file does not grow. */
  #logs({ after, limit, ...query }: Query): object {
    const fits = logTest(query);
    const found = after === undefined ? this.#recording.logs.filter(fits).toSorted(byTime) : [];
    const most = Number(limit ?? 100);
    return {
      logs: found.slice(-most),
      left: Math.max(0, found.length - most),
      next: this.#recording.logs.length,
      hint: 'No log line of the file fits',
    };
  }
}

/** The counts of a group are those of the whole time, so a part of the time has none. */
function errorsOf(errors: readonly ErrorGroup[], { service = '', since = '' }: Query): object {
  if (since !== '') throw new Error('The file has the errors of its whole time: remove “Since”');
  const fits = service === '' ? () => true : wildcard(service);
  return { errors: errors.filter((group) => fits(group.service)), left: 0 };
}

/** The one with which a service begins its work. */
function localRoots(spans: RecordedTrace['trace']['spans']): readonly Span[] {
  const services = new Map(spans.map(({ spanId, service }) => [spanId, service]));
  return spans.filter(
    ({ parentSpanId, service }) => parentSpanId === undefined || services.get(parentSpanId) !== service,
  );
}

function spanTest(query: Query): (span: Span) => boolean {
  const { operation = '', status = '' } = query;
  const named = operation === '' ? () => true : wildcard(operation);
  const leastMs = durationOf(query, 'min_duration') ?? -Infinity;
  const mostMs = durationOf(query, 'max_duration') ?? Infinity;
  const shared = itemTest(query);
  return (span) =>
    named(span.name) &&
    (status === '' || span.status.code === status) &&
    span.durationMs >= leastMs &&
    span.durationMs <= mostMs &&
    shared({ ...span, timeUnixNano: span.startTimeUnixNano });
}

const SEVERITIES = ['trace', 'debug', 'info', 'warn', 'error', 'fatal'];

function logTest(query: Query): (log: LogRecord) => boolean {
  const { severity = '', text = '', trace = '' } = query;
  const least = SEVERITIES.indexOf(severity) * 4 + 1;
  const shared = itemTest(query);
  return (log) =>
    (severity === '' || log.severityNumber >= least) &&
    (text === '' || valueText(log.body).toLowerCase().includes(text.toLowerCase())) &&
    (trace === '' || log.traceId?.startsWith(trace.toLowerCase()) === true) &&
    shared(log);
}

interface Item {
  readonly service: string;
  readonly timeUnixNano: string;
  readonly attributes: Attributes;
  readonly resource?: Attributes;
}

function itemTest(query: Query): (item: Item) => boolean {
  const { service = '', attribute = '' } = query;
  const fitsService = service === '' ? () => true : wildcard(service);
  const at = attribute.indexOf('=');
  if (attribute !== '' && at < 1) throw new Error('Attribute must be KEY=VALUE');
  const [key, fitsValue] = [attribute.slice(0, at), wildcard(attribute.slice(at + 1))];
  const [sinceMs, untilMs] = [momentOf(query, 'since') ?? -Infinity, momentOf(query, 'until') ?? Infinity];
  return (item) => {
    const ms = Number(BigInt(item.timeUnixNano) / 1_000_000n);
    if (!fitsService(item.service) || ms < sinceMs || ms > untilMs) return false;
    if (attribute === '') return true;
    return [item.attributes, item.resource ?? {}].some(
      (pairs) => Object.hasOwn(pairs, key) && fitsValue(valueText(pairs[key])),
    );
  };
}

function durationOf(query: Query, name: string): number | undefined {
  const text = query[name] ?? '';
  const ms = text === '' ? undefined : parseDuration(text);
  if (text !== '' && ms === undefined) throw new Error(`${name} must be a duration such as 200ms`);
  return ms;
}

/** A duration is before the end of the file, where its clock is stopped. */
function momentOf(query: Query, name: string): number | undefined {
  const text = query[name] ?? '';
  if (text === '') return undefined;
  const agoMs = parseDuration(text);
  const ms = agoMs === undefined ? Date.parse(text) : Date.now() - agoMs;
  if (Number.isNaN(ms))
    throw new Error(`${name} must be a duration such as 15m, or a time such as 2026-01-31T12:00:00Z`);
  return ms;
}

function byStart(a: { readonly startTimeUnixNano: string }, b: { readonly startTimeUnixNano: string }): number {
  return Number(BigInt(a.startTimeUnixNano) - BigInt(b.startTimeUnixNano));
}

function byTime(a: LogRecord, b: LogRecord): number {
  return Number(BigInt(a.timeUnixNano) - BigInt(b.timeUnixNano));
}
