import type { ConfigNode, ConfigPath } from './config-node.ts';

/** Called for a list of mappings that a later list replaces: its author may expect both. */
export type ReplacedList = (earlier: ConfigNode, later: ConfigNode, path: ConfigPath) => void;

/** `later` over `earlier`: mappings are merged key by key. Anything else, also a list or null, replaces the earlier value. */
export function mergeNodes(
  earlier: ConfigNode,
  later: ConfigNode,
  onReplaced: ReplacedList = () => undefined,
  path: ConfigPath = [],
): ConfigNode {
  if (
    earlier.kind === 'sequence' &&
    later.kind === 'sequence' &&
    earlier.items.some(({ kind }) => kind === 'mapping')
  ) {
    onReplaced(earlier, later, path);
  }
  if (earlier.kind !== 'mapping' || later.kind !== 'mapping') return later;
  const entries = new Map(earlier.entries);
  for (const [key, node] of later.entries) {
    const before = entries.get(key);
    entries.set(key, before === undefined ? node : mergeNodes(before, node, onReplaced, [...path, key]));
  }
  return { kind: 'mapping', place: later.place, entries };
}
