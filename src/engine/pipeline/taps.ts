import type { Consumer, Watcher } from '../component.ts';

/** Edges of pipelines where somebody may watch what passes. Without a watcher, a batch costs one comparison. */
export class Taps {
  readonly #edges = new Map<string, Edge>();

  /** @param edge the number of processors of the pipeline before it. */
  through(pipeline: string, edge: number, next: Consumer): Consumer {
    const key = keyOf(pipeline, edge);
    // A reload builds the edge again, and watchers stay.
    const found = this.#edges.get(key) ?? { watchers: new Set() };
    this.#edges.set(key, found);
    const { watchers } = found;
    return {
      consume: (batch) => {
        if (watchers.size > 0) for (const watch of watchers) watch(batch);
        return next.consume(batch);
      },
    };
  }

  /** Implements `watch` of a host. */
  watch(pipeline: string, edge: number, watch: Watcher): Disposable | undefined {
    const watchers = this.#edges.get(keyOf(pipeline, edge))?.watchers;
    watchers?.add(watch);
    return watchers && { [Symbol.dispose]: () => void watchers.delete(watch) };
  }
}

interface Edge {
  readonly watchers: Set<Watcher>;
}

function keyOf(pipeline: string, edge: number): string {
  return `${pipeline} ${edge}`;
}
