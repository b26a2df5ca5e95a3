import type { FamilyType } from '../names/metric-type.ts';

/** Names whose claims are remembered. Longer ones belong to the type that comes first. */
const MAX_NAMES = 10_000;
const MAX_NAME_LENGTH = 256;
/** Time that has passed counts half after about 17 hours. */
const MEMORY_MS = 24 * 3_600_000;

interface Claim {
  /** For how long the type has been sent; time that has passed counts less and less. */
  sentMs: number;
  atMs: number;
}

/**
 * For how long each type of a contested name has been sent. Time counts while the type holds the name and while its
 * points are refused. So a sender that uses a name before its rightful sender does not keep it for good: it loses the
 * name when it has paused.
 */
export class NameClaims {
  readonly #claims = new Map<string, Map<FamilyType, Claim>>();
  readonly #gapMs: number;

  /** @param gapMs a longer time between two points is a pause. */
  constructor(gapMs: number) {
    this.#gapMs = gapMs;
  }

  /** Notes that a point of this type was refused now. */
  refused(name: string, type: FamilyType, nowMs: number): void {
    const atMs = this.#claims.get(name)?.get(type)?.atMs ?? -Infinity;
    this.#add(name, type, { sentMs: nowMs - atMs <= this.#gapMs ? nowMs - atMs : 0, nowMs });
  }

  /** Notes that this type has had the name until now. */
  held(name: string, type: FamilyType, { sinceMs, nowMs }: { sinceMs: number; nowMs: number }): void {
    this.#add(name, type, { sentMs: remembered(nowMs - sinceMs), nowMs });
  }

  /** @param sinceMs since when the type has had the name, if it has. */
  sentMs(name: string, type: FamilyType, { sinceMs, nowMs }: { sinceMs?: number; nowMs: number }): number {
    const claim = this.#claims.get(name)?.get(type);
    const before = claim === undefined ? 0 : faded(claim, nowMs);
    return before + (sinceMs === undefined ? 0 : remembered(nowMs - sinceMs));
  }

  #add(name: string, type: FamilyType, { sentMs, nowMs }: { sentMs: number; nowMs: number }): void {
    if (name.length > MAX_NAME_LENGTH) return;
    const ofName = this.#claims.get(name) ?? new Map<FamilyType, Claim>();
    ofName.set(type, { sentMs: this.sentMs(name, type, { nowMs }) + sentMs, atMs: nowMs });
    // The name that has not been claimed for the longest time comes first.
    this.#claims.delete(name);
    this.#claims.set(name, ofName);
    if (this.#claims.size > MAX_NAMES) this.#claims.delete(this.#claims.keys().next().value as string);
  }
}

function faded({ sentMs, atMs }: Claim, nowMs: number): number {
  return sentMs * Math.exp((atMs - nowMs) / MEMORY_MS);
}

/** The remembered part of a time that ends now. */
function remembered(durationMs: number): number {
  return MEMORY_MS * (1 - Math.exp(-durationMs / MEMORY_MS));
}
