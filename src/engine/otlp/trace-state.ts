/** https://www.w3.org/TR/trace-context/#tracestate-header */
const MAX_BYTES = 1024;
const MAX_MEMBERS = 31;
const MEMBER =
  /^(?:[a-z][a-z0-9_*/-]{0,255}|[a-z0-9][a-z0-9_*/-]{0,240}@[a-z][a-z0-9_*/-]{0,13})=[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e]$/;
const MAX_OTEL_BYTES = 256;
const OTEL_MEMBER = /^([a-z][a-z0-9]*):([a-zA-Z0-9._-]*)$/;
const OTEL = 'ot=';
/** The number of hexadecimal digits of a randomness, and the greatest of a threshold. */
const DIGITS = 14;

/** A threshold that no randomness reaches. Randomness and thresholds have 56 bits. */
export const NEVER = 1n << 56n;

/**
 * The W3C header `tracestate` of a span, with OpenTelemetry's part of it: how a span was sampled.
 * https://opentelemetry.io/docs/specs/otel/trace/tracestate-handling/
 */
export interface TraceState {
  /** The random number of the trace, if it is not in its id. */
  readonly randomness: bigint | undefined;
  /** Only traces with a randomness from here on were sampled. Undefined if that is not known. */
  readonly threshold: bigint | undefined;
  /** The other values of OpenTelemetry, and the other members, as they were written. */
  readonly others: readonly string[];
  readonly members: readonly string[];
}

/** Undefined if the header is not valid. */
export function parseTraceState(text: string): TraceState | undefined {
  const members = text.split(',').map((member) => member.replaceAll(/^[ \t]+|[ \t]+$/g, ''));
  const used = members.filter((member) => member !== '');
  if (text.length > MAX_BYTES || members.length > MAX_MEMBERS || !used.every((member) => MEMBER.test(member)))
    return undefined;
  const otel = used.findLast((member) => member.startsWith(OTEL));
  const others = used.filter((member) => !member.startsWith(OTEL));
  return otel === undefined ? { ...EMPTY, members: others } : parseOtel(otel.slice(OTEL.length), others);
}

/** Without a value of OpenTelemetry. */
const EMPTY: TraceState = { randomness: undefined, threshold: undefined, others: [], members: [] };

function parseOtel(text: string, members: readonly string[]): TraceState | undefined {
  if (text.length > MAX_OTEL_BYTES) return undefined;
  let randomness: bigint | undefined;
  let threshold: bigint | undefined;
  const others: string[] = [];
  for (const part of text.split(';')) {
    const [, key, value = ''] = OTEL_MEMBER.exec(part) ?? [];
    if (key === undefined) return undefined;
    if (key === 'rv') {
      if (!/^[0-9a-fA-F]{14}$/.test(value)) return undefined;
      randomness = BigInt(`0x${value}`);
    } else if (key === 'th') {
      if (!/^[0-9a-fA-F]{1,14}$/.test(value)) return undefined;
      threshold = BigInt(`0x${value.padEnd(DIGITS, '0')}`);
    } else others.push(part);
  }
  return { randomness, threshold, others, members };
}

/** The header of a trace state. Empty if it has no values. */
export function formatTraceState({ randomness, threshold, others, members }: TraceState): string {
  const otel = [
    ...(randomness === undefined ? [] : [`rv:${hex(randomness)}`]),
    ...(threshold === undefined || threshold === NEVER ? [] : [`th:${thresholdText(threshold)}`]),
    ...others,
  ];
  return [...(otel.length === 0 ? [] : [`${OTEL}${otel.join(';')}`]), ...members].join(',');
}

function thresholdText(threshold: bigint): string {
  return threshold === 0n ? '0' : hex(threshold).replace(/0+$/, '');
}

function hex(value: bigint): string {
  return value.toString(16).padStart(DIGITS, '0');
}
