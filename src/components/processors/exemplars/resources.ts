import { canonicalText, readKeyValue, type AnyValue } from '../../../engine/otlp/any-value.ts';
import { fieldTags } from '../../../engine/otlp/schema.ts';
import { WireReader } from '../../../engine/otlp/wire-reader.ts';
import { Group, type GroupSpace } from './group.ts';
import type { CompiledRule } from './rules.ts';

const RESOURCE = fieldTags('Resource');
const MAX_RESOURCES = 1000;
const MAX_RESOURCE_BYTES = 8192;
/** A metric that has not been sent for this long is forgotten. */
const IDLE_MS = 15 * 60_000;
const SWEEP_MS = 60_000;

/** The metrics of one resource that rules apply to. */
export interface Resource {
  readonly groups: Group[];
}

/** The resources that send metrics with rules. They are found by their encoded attributes. */
export class Resources {
  readonly #space: GroupSpace;
  readonly #byAttributes = new Map<string, Resource>();
  /** The same resources by their bytes. Undefined: the resource has no such metric. */
  readonly #byBytes = new Map<string, Resource | undefined>();
  #sweptMs = 0;

  constructor(space: GroupSpace) {
    this.#space = space;
  }

  /** @param parts the messages `Resource` of one block: several are one. */
  find(parts: readonly Uint8Array[]): Resource | undefined {
    const key = keyOf(parts);
    if (key === undefined) return undefined;
    if (this.#byBytes.has(key)) return this.#byBytes.get(key);
    const found = this.#byAttributes.get(attributesOf(parts));
    this.#remember(key, found);
    return found;
  }

  /** The metric of the rule. Undefined if there is no room for another resource. */
  groupOf(parts: readonly Uint8Array[], rule: CompiledRule, timeNs: number): Group | undefined {
    const resource = this.find(parts) ?? this.#add(parts);
    if (resource === undefined) return undefined;
    let group = resource.groups.find((known) => known.rule === rule);
    if (group === undefined) {
      group = new Group(rule, this.#space, timeNs);
      resource.groups.push(group);
    }
    return group;
  }

  /** Forgets metrics that are not sent any more. To be called often. */
  sweep(nowMs: number): void {
    if (nowMs - this.#sweptMs < SWEEP_MS) return;
    this.#sweptMs = nowMs;
    for (const [attributes, { groups }] of this.#byAttributes) {
      for (const idle of groups.filter(({ seenMs }) => nowMs - seenMs > IDLE_MS)) {
        idle.clear();
        groups.splice(groups.indexOf(idle), 1);
      }
      if (groups.length === 0) this.#byAttributes.delete(attributes);
    }
    this.#byBytes.clear();
  }

  #add(parts: readonly Uint8Array[]): Resource | undefined {
    const key = keyOf(parts);
    if (key === undefined || this.#byAttributes.size >= MAX_RESOURCES) return undefined;
    const resource: Resource = { groups: [] };
    this.#byAttributes.set(attributesOf(parts), resource);
    // Other bytes may mean the same resource.
    this.#byBytes.clear();
    this.#byBytes.set(key, resource);
    return resource;
  }

  #remember(key: string, resource: Resource | undefined): void {
    if (this.#byBytes.size >= MAX_RESOURCES) this.#byBytes.clear();
    this.#byBytes.set(key, resource);
  }
}

function keyOf(parts: readonly Uint8Array[]): string | undefined {
  if (parts.reduce((sum, { length }) => sum + length, 0) > MAX_RESOURCE_BYTES) return undefined;
  return parts.map((part) => Buffer.from(part.buffer, part.byteOffset, part.length).toString('latin1')).join('\n');
}

function attributesOf(parts: readonly Uint8Array[]): string {
  const attributes = new Map<string, AnyValue>();
  for (const part of parts) {
    for (const reader = new WireReader(part); !reader.done;) {
      const tag = reader.tag();
      if (tag === RESOURCE.attributes) readKeyValue(reader.message(), attributes);
      else reader.skip(tag);
    }
  }
  return canonicalText(attributes);
}
