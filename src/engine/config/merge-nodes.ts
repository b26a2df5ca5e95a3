import type { ConfigNode } from './config-node.ts';

/** `later` over `earlier`: mappings are merged key by key. Anything else, also a list or null, replaces the earlier value. */
export function mergeNodes(earlier: ConfigNode, later: ConfigNode): ConfigNode {
  if (earlier.kind !== 'mapping' || later.kind !== 'mapping') return later;
  const entries = new Map(earlier.entries);
  for (const [key, node] of later.entries) {
    const before = entries.get(key);
    entries.set(key, before === undefined ? node : mergeNodes(before, node));
  }
  return { kind: 'mapping', place: later.place, entries };
}
