/**
 * The dynamic sampling context of a trace: Sentry multiplies counts by its sample rate, and decides with it whether to
 * keep a whole trace. https://develop.sentry.dev/sdk/telemetry/traces/dynamic-sampling-context/
 */
import { numberOf, textOf, type KeyValueMap } from '../../../engine/otlp/any-value.ts';
import type { Span } from '../../../engine/otlp/span-reader.ts';
import type { EventSettings } from './event-origin.ts';
import { environmentOf, releaseOf } from './event-origin.ts';
import { isLocalRoot } from './segments.ts';
import { semanticsOf } from './span-semantics.ts';

/** All values are texts. Without `public_key`, that of the project is added when the envelope is sent. */
export interface TraceHeader {
  readonly trace_id: string;
  readonly [key: string]: string;
}

/** The attribute of a local root with the `sentry-*` members of the header `baggage` that it received. */
const INCOMING = 'sentry.dsc';
const MAX_INCOMING_CHARACTERS = 8192;

/** The key of the project of a resource; undefined for that of the envelope. */
export type PublicKeyOf = (resource: KeyValueMap) => string | undefined;

/** The header for the spans of one trace. The context of the trace's first service is passed on as it came. */
export function traceHeaderOf(spans: readonly Span[], settings: EventSettings, publicKeyOf: PublicKeyOf): TraceHeader {
  const roots = spans.filter(isLocalRoot);
  const [first = spans[0] as Span] = roots;
  for (const root of roots) {
    const incoming = readIncoming(root);
    if (incoming !== undefined) return incoming;
  }
  const rate = roots.map(sampleRateOf).find((known) => known !== undefined);
  const start = roots.find(({ parentSpanId }) => parentSpanId === undefined);
  return {
    trace_id: first.traceId,
    sampled: 'true',
    ...(rate === undefined ? {} : { sample_rate: String(rate) }),
    // The other fields describe the service that began the trace.
    ...(start === undefined ? {} : describe(start, settings, publicKeyOf)),
  };
}

/** The header for an error without its trace; undefined if it belongs to none. */
export function traceHeaderOfRecord(record: Pick<Span, 'traceId' | 'attributes'>): TraceHeader | undefined {
  return record.traceId === '' ? undefined : (readIncoming(record) ?? { trace_id: record.traceId });
}

function describe(start: Span, settings: EventSettings, publicKeyOf: PublicKeyOf): Readonly<Record<string, string>> {
  const { name, source } = semanticsOf(start);
  const [release, environment] = [releaseOf(start.resource, settings), environmentOf(start.resource, settings)];
  const publicKey = publicKeyOf(start.resource);
  return {
    ...(publicKey === undefined ? {} : { public_key: publicKey }),
    ...(release === undefined ? {} : { release }),
    ...(environment === undefined ? {} : { environment }),
    ...(source === 'url' || name === '' ? {} : { transaction: name.slice(0, 200) }),
  };
}

/** `sentry-trace_id=…,sentry-public_key=…`; undefined if it is of another trace or incomplete. */
function readIncoming({ traceId, attributes }: Pick<Span, 'traceId' | 'attributes'>): TraceHeader | undefined {
  const text = textOf(attributes, INCOMING);
  if (text === undefined || text.length > MAX_INCOMING_CHARACTERS) return undefined;
  const members = text.split(',').map((member) => /^\s*sentry-(\w{1,64})=([^;]*)/.exec(member));
  const known = members.flatMap((match) => (match === null ? [] : [[match[1] as string, decoded(match[2] as string)]]));
  const header = Object.fromEntries(known) as Readonly<Record<string, string>>;
  const { trace_id = '', public_key = '' } = header;
  return trace_id === traceId && public_key !== '' ? { ...header, trace_id } : undefined;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text.trim());
  } catch {
    return text.trim();
  }
}

/** Between 0 and 1; undefined if the sender does not report it. */
function sampleRateOf(span: Span): number | undefined {
  const rate = rateOfThreshold(span.traceState) ?? numberOf(span.attributes, 'sentry.sample_rate');
  return rate !== undefined && rate > 0 && rate <= 1 ? rate : undefined;
}

const THRESHOLD = /(?:^|,)\s*ot=(?:[^,]*;)?th:([0-9a-f]{1,14})(?:[;,\s]|$)/;

/** `ot=th:c` is a rejection threshold of 0xc0000000000000 of 2^56. https://opentelemetry.io/docs/specs/otel/trace/tracestate-handling/ */
function rateOfThreshold(traceState: string): number | undefined {
  const threshold = THRESHOLD.exec(traceState)?.[1];
  return threshold === undefined ? undefined : 1 - Number(`0x${threshold.padEnd(14, '0')}`) / 2 ** 56;
}
