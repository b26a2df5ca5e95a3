import type { KeyValueMap } from '../../../../engine/otlp/any-value.ts';
import { MAX_KEY_BYTES } from '../series/attribute-index.ts';
import { hashText, viewOf } from '../../../../engine/columns/hash-bytes.ts';
import { labelName } from '../names/label-name.ts';
import { sampleText } from '../names/label-set.ts';
import type { Naming } from '../names/naming.ts';
import { targetKey, type SeriesLabels } from '../names/series-labels.ts';
import type { SeriesMemory } from '../series/series-memory.ts';
import type { Target } from '../series/targets.ts';

/** The number of all targets in the attribute index. Streams of metrics have higher numbers. */
export const TARGET_STREAM = 1;

/** A resource, its `canonicalText`, and the target that its series count for. */
export interface SeenResource {
  readonly attributes: KeyValueMap;
  readonly canonical: string;
  readonly target: Target;
}

/**
 * Keeps one `target_info` for each job and instance: that of the resource that was new last. Another one shows its
 * attributes again when that one is silent, so that they do not jump between two processes.
 */
export class TargetInfo {
  readonly #memory: SeriesMemory;
  readonly #labels: SeriesLabels;
  readonly #name: string;

  constructor(memory: SeriesMemory, labels: SeriesLabels, { namespace, utf8 }: Naming) {
    this.#memory = memory;
    this.#labels = labels;
    this.#name = targetInfoName(namespace === '' ? undefined : labelName(namespace, { utf8 }));
  }

  /** @param isNew true if the resource has not been sent before, at least not lately. */
  seen(
    { attributes: resource, canonical, target }: SeenResource,
    sighting: { readonly nowMs: number; readonly isNew: boolean },
  ): void {
    const key = targetKey(resource);
    if (key === undefined || key.length > MAX_KEY_BYTES / 4) return;
    const { attributes } = this.#memory;
    const bytes = Buffer.from(key);
    const place = { view: viewOf(bytes), keyStart: 0, keyEnd: bytes.length };
    const sender = { owner: hashText(0, canonical), target };
    const entry = attributes.find(TARGET_STREAM, place);
    const row = entry < 0 ? -1 : (attributes.rows[entry] as number);
    if (row >= 0 && this.#isKept(row, sender, sighting)) return;
    if (row >= 0) this.#retire(row);
    const added = this.#add(resource, sender, sighting.nowMs);
    if (added >= 0) attributes.add(TARGET_STREAM, place, { row: added, identity: sender.owner });
  }

  /** True if the row continues to show its resource. */
  #isKept(
    row: number,
    { owner, target }: { readonly owner: number; readonly target: Target },
    { nowMs, isNew }: { readonly nowMs: number; readonly isNew: boolean },
  ): boolean {
    const { series } = this.#memory;
    if (!series.isLive(row)) return false;
    if (series.owners[row] === owner) {
      series.seenMs[row] = nowMs;
      return true;
    }
    // A sender does not replace the series of a target of siphon's own.
    const isReplaced = isNew && series.targets[row] === target;
    return !isReplaced && !this.#memory.isSilent(row, nowMs);
  }

  /** Hides the row of a target whose attributes changed. The sweep frees it. */
  #retire(row: number): void {
    this.#memory.attributes.removeRow(row);
    this.#memory.series.hide(row);
  }

  #add(resource: KeyValueMap, sender: { readonly owner: number; readonly target: Target }, nowMs: number): number {
    const { series, families } = this.#memory;
    const text = Buffer.from(`${sampleText(this.#name, this.#labels.ofTarget(resource).text())} `);
    if (text.length > MAX_KEY_BYTES || this.#memory.refusesRow(sender.target) !== undefined) return -1;
    const family = families.claim(
      { name: this.#name, type: 'gauge', help: 'Target metadata', unit: '' },
      { origin: sender.target.origin, nowMs },
    );
    if (family === undefined) return -1;
    const existing = series.find(family, text);
    const row = existing < 0 ? series.add(family, text) : existing;
    series.show(row, sender, nowMs);
    series.values[row] = 1;
    return row;
  }
}

function targetInfoName(namespace: string | undefined): string {
  return namespace === undefined ? 'target_info' : `${namespace}_target_info`;
}
