import { anyValueToText } from '../../../../engine/otlp/any-value.ts';
import { wildcard } from '../../../../engine/wildcard.ts';
import { atOnce } from '../../../../engine/time-slice.ts';
import { listHas, pairsWithKey } from '../memory/pairs-with-key.ts';
import { durationAt, hasLong, millisecondsAt, pairOf, pairsOfList, statusAt } from '../memory/record.ts';
import { SpanTrait, type Segment } from '../memory/segment.ts';

/** Properties that the items of an answer have. Texts may contain `*` for any text. */
export interface Criteria {
  readonly service?: string | undefined;
  /** Attributes of the item or its resource. */
  readonly attributes: readonly { readonly key: string; readonly value: string }[];
  /** Since 1970. */
  readonly sinceMs?: number | undefined;
  readonly untilMs?: number | undefined;
}

/** Properties of one span. */
export interface SpanCriteria extends Criteria {
  /** The name of the span. */
  readonly operation?: string | undefined;
  readonly status?: 'unset' | 'ok' | 'error' | undefined;
  readonly minDurationMs?: number | undefined;
  readonly maxDurationMs?: number | undefined;
}

/** The criteria as a test of the rows of spans. */
export function spanTest(
  segment: Segment,
  { operation, status, minDurationMs = -Infinity, maxDurationMs = Infinity, ...others }: SpanCriteria,
): (row: number) => boolean {
  const { cells } = segment.spans;
  const shared = new SegmentCriteria(segment, others);
  const names = operation === undefined ? undefined : textsWith(segment, operation);
  return (row) => {
    if (names !== undefined && names[cells.name[row] as number] !== 1) return false;
    if (status !== undefined && statusAt(segment, row) !== status) return false;
    const durationMs = durationAt(segment, row) / 1e6;
    if (durationMs < minDurationMs || durationMs > maxDurationMs || !shared.fitsTime(cells.startNs, row)) return false;
    return shared.fits(cells.resource[row] as number, cells.details[row] as number);
  };
}

/**
 * The same for the spans that decide about a trace. Without a name, an attribute or a status, those are the spans with which
 * a service begins its work.
 */
export function decidingTest(segment: Segment, criteria: SpanCriteria): (row: number) => boolean {
  const fits = spanTest(segment, criteria);
  const { operation, status, attributes } = criteria;
  if (operation !== undefined || status !== undefined || attributes.length > 0) return fits;
  return (row) => isEntry(segment, row) && fits(row);
}

/** The criteria in the numbers of one segment. */
export class SegmentCriteria {
  readonly #segment: Segment;
  readonly #sinceMs: number;
  readonly #untilMs: number;
  readonly #service: ((text: string) => boolean) | undefined;
  /** For each attribute: which pairs fulfil it. */
  readonly #pairs: readonly Uint8Array[];
  /** The result for each resource: its service fits, and it fulfils these attributes, as bits. */
  readonly #resources = new Map<number, { readonly fits: boolean; readonly fulfilled: number }>();

  constructor(segment: Segment, { service, attributes, sinceMs = -Infinity, untilMs = Infinity }: Criteria) {
    this.#segment = segment;
    this.#sinceMs = sinceMs;
    this.#untilMs = untilMs;
    this.#service = service === undefined ? undefined : wildcard(service);
    this.#pairs = attributes.map(({ key, value }) => {
      const fits = wildcard(value);
      return atOnce(pairsWithKey(segment, key, (one) => fits(anyValueToText(one))));
    });
  }

  /** True for an item that began then. */
  fitsTime(times: ArrayLike<number>, row: number): boolean {
    if (this.#sinceMs === -Infinity && this.#untilMs === Infinity) return true;
    const ms = millisecondsAt(times, row);
    return ms >= this.#sinceMs && ms <= this.#untilMs;
  }

  /** True for an item with this resource, and with the attributes at `details`. */
  fits(resource: number, details: number): boolean {
    if (this.#service === undefined && this.#pairs.length === 0) return true;
    const known = this.#resources.get(resource) ?? this.#examine(resource);
    if (!known.fits) return false;
    return this.#pairs.every(
      (fitting, i) => (known.fulfilled & (1 << i)) !== 0 || listHas(this.#segment, details, fitting),
    );
  }

  #examine(resource: number): { readonly fits: boolean; readonly fulfilled: number } {
    let fulfilled = 0;
    for (const pair of pairsOfList(this.#segment, resource)) {
      for (const [i, fitting] of this.#pairs.entries()) if (fitting[pair] === 1) fulfilled |= 1 << i;
    }
    const fits = this.#service === undefined || this.#service(serviceOf(this.#segment, resource));
    this.#resources.set(resource, { fits, fulfilled });
    return { fits, fulfilled };
  }
}

/** More are not needed, and each takes a bit. */
export const MAX_ATTRIBUTES = 16;

/** The `service.name` of a resource, or an empty text. */
export function serviceOf(segment: Segment, resource: number): string {
  for (const pair of pairsOfList(segment, resource)) {
    const [key, value] = pairOf(segment, pair);
    if (key === 'service.name') return anyValueToText(value);
  }
  return '';
}

/** Which numbers of texts fit the pattern. */
function textsWith({ texts }: Segment, pattern: string): Uint8Array {
  const fits = wildcard(pattern);
  return Uint8Array.from({ length: texts.count }, (_, text) => (fits(texts.textOf(text)) ? 1 : 0));
}

export interface SpanPlace {
  readonly segment: Segment;
  readonly row: number;
}

const [SERVER, CONSUMER] = [2, 5];

/** True for a span with which a service begins its work. */
function isEntry({ spans: { cells } }: Segment, row: number): boolean {
  const traits = cells.traits[row] as number;
  const kind = traits & SpanTrait.kind;
  return kind === SERVER || kind === CONSUMER || (traits & SpanTrait.isRemote) !== 0 || !hasLong(cells.parentId, row);
}
