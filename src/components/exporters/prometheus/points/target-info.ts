import type { KeyValueMap } from '../../../../engine/otlp/any-value.ts';
import { MAX_KEY_BYTES } from '../series/attribute-index.ts';
import { hashText, viewOf } from '../series/hash-bytes.ts';
import { labelName } from '../names/label-name.ts';
import { sampleText } from '../names/label-set.ts';
import type { Naming } from '../names/naming.ts';
import { targetKey, type SeriesLabels } from '../names/series-labels.ts';
import type { SeriesMemory } from '../series/series-memory.ts';

/** The number of all targets in the attribute index. Streams of metrics have higher numbers. */
export const TARGET_STREAM = 1;

/** Keeps one `target_info` for each job and instance: that of the first resource, until it is silent. */
export class TargetInfo {
  readonly #memory: SeriesMemory;
  readonly #labels: SeriesLabels;
  readonly #name: string;

  constructor(memory: SeriesMemory, labels: SeriesLabels, { namespace, utf8 }: Naming) {
    this.#memory = memory;
    this.#labels = labels;
    this.#name = targetInfoName(namespace === '' ? undefined : labelName(namespace, { utf8 }));
  }

  /** @param canonical the `canonicalText` of the resource. */
  seen(resource: KeyValueMap, canonical: string, nowMs: number): void {
    const key = targetKey(resource);
    if (key === undefined || key.length > MAX_KEY_BYTES / 4) return;
    const { series, attributes } = this.#memory;
    const bytes = Buffer.from(key);
    const place = { view: viewOf(bytes), keyStart: 0, keyEnd: bytes.length };
    const owner = hashText(0, canonical);
    const entry = attributes.find(TARGET_STREAM, place);
    const row = entry < 0 ? -1 : (attributes.rows[entry] as number);
    if (row >= 0 && series.isLive(row)) {
      if (series.owners[row] === owner) series.seenMs[row] = nowMs;
      if (!this.#memory.isSilent(row, nowMs)) return;
    }
    if (row >= 0) this.#retire(row);
    const added = this.#add(resource, owner, nowMs);
    if (added >= 0) attributes.add(TARGET_STREAM, place, { row: added, identity: owner });
  }

  /** Hides the row of a target whose attributes changed. The sweep frees it. */
  #retire(row: number): void {
    this.#memory.attributes.removeRow(row);
    this.#memory.series.hide(row);
  }

  #add(resource: KeyValueMap, owner: number, nowMs: number): number {
    const { series, families } = this.#memory;
    const family = families.claim({ name: this.#name, type: 'gauge', help: 'Target metadata', unit: '' });
    const text = Buffer.from(`${sampleText(this.#name, this.#labels.ofTarget(resource).text())} `);
    if (family === undefined || text.length > MAX_KEY_BYTES || !this.#memory.hasRoom()) return -1;
    const existing = series.find(family, text);
    const row = existing < 0 ? series.add(family, text) : existing;
    series.show(row, owner, nowMs);
    series.values[row] = 1;
    return row;
  }
}

function targetInfoName(namespace: string | undefined): string {
  return namespace === undefined ? 'target_info' : `${namespace}_target_info`;
}
