import { anyValueToText } from '../../../../engine/otlp/any-value.ts';
import { wildcard } from '../../../../engine/wildcard.ts';
import { encodedKey } from '../memory/pairs-with-key.ts';
import { hasLong, millisecondsAt, pairOf, pairsOfList } from '../memory/record.ts';
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
    this.#pairs = attributes.map((attribute) => pairsWith(segment, attribute));
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
    const { words } = this.#segment;
    const count = words.at(details);
    return this.#pairs.every((fitting, i) => {
      if ((known.fulfilled & (1 << i)) !== 0) return true;
      for (let at = details + 1; at <= details + count; at++) if (fitting[words.at(at)] === 1) return true;
      return false;
    });
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
export function textsWith({ texts }: Segment, pattern: string): Uint8Array {
  const fits = wildcard(pattern);
  return Uint8Array.from({ length: texts.count }, (_, text) => (fits(texts.textOf(text)) ? 1 : 0));
}

export interface SpanPlace {
  readonly segment: Segment;
  readonly row: number;
}

/** True for a span that began in another process or has no parent. */
export function isLocalRoot({ spans: { cells } }: Segment, row: number): boolean {
  return !hasLong(cells.parentId, row) || ((cells.traits[row] as number) & SpanTrait.isRemote) !== 0;
}

function pairsWith(segment: Segment, { key, value }: { readonly key: string; readonly value: string }): Uint8Array {
  const fits = wildcard(value);
  const { pairs } = segment;
  const fitting = new Uint8Array(pairs.count);
  // Each pair begins with its key.
  const prefix = encodedKey(key);
  for (let pair = 0; pair < pairs.count; pair++) {
    if (!pairs.startsWith(pair, prefix)) continue;
    const [, text] = pairOf(segment, pair);
    if (fits(anyValueToText(text))) fitting[pair] = 1;
  }
  return fitting;
}
