import type { Import } from './source-files.ts';

/**
 * The cycles among the files and subfolders directly inside a folder; an import below a subfolder counts as the
 * subfolder's. A cycle between any two files or folders appears in the folder that contains both.
 */
export function cyclesIn(folder: string, imports: readonly Import[]): string[][] {
  const edges = new Map<string, Set<string>>();
  for (const { from, to } of imports) {
    const one = childOf(folder, from);
    const other = childOf(folder, to);
    if (one === undefined || other === undefined || one === other) continue;
    edges.set(one, (edges.get(one) ?? new Set()).add(other));
  }
  return stronglyConnected(edges).filter((names) => names.length > 1);
}

function childOf(folder: string, path: string): string | undefined {
  if (folder === '') return path.split('/')[0];
  return path.startsWith(`${folder}/`) ? path.slice(folder.length + 1).split('/')[0] : undefined;
}

/** Two nodes are in one component if each can be reached from the other. The graphs are small: reachability is enough. */
function stronglyConnected(edges: ReadonlyMap<string, ReadonlySet<string>>): string[][] {
  const reach = new Map([...edges.keys()].map((node) => [node, reachableFrom(node, edges)]));
  const found = new Map<string, string[]>();
  for (const [node, others] of reach) {
    const cycle = [...others].filter((other) => reach.get(other)?.has(node)).toSorted();
    if (cycle.length > 0) found.set(cycle.join(), cycle);
  }
  return [...found.values()];
}

function reachableFrom(start: string, edges: ReadonlyMap<string, ReadonlySet<string>>): Set<string> {
  const seen = new Set<string>();
  const open = [start];
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    for (const next of edges.get(node) ?? []) {
      if (seen.has(next)) continue;
      seen.add(next);
      open.push(next);
    }
  }
  return seen;
}
