/** The times at which each sidecar polled, from its own metrics. */
export class PollingHistory {
  readonly #polls = new Map<number, string>();

  readonly #counts = new Map<string, number>();

  /** @param count the polls of this sidecar so far; undefined if they are unknown, or it has not polled. */
  seen(name: string, count: number | undefined): void {
    if (count !== undefined && count !== this.#counts.get(name)) this.#polls.set(Date.now() / 1000, name);
    if (count !== undefined) this.#counts.set(name, count);
  }

  get polls(): number {
    return this.#polls.size;
  }

  /** How often the next poll was another one's: with two at a time, at nearly every poll. */
  get changes(): number {
    const names = this.#inOrder.map(([, name]) => name);
    return names.filter((name, i) => i > 0 && name !== names[i - 1]).length;
  }

  get longestGapMs(): number {
    const times = this.#inOrder.map(([unixSeconds]) => unixSeconds * 1000);
    return Math.max(0, ...times.map((time, i) => time - (times[i - 1] ?? time)));
  }

  get #inOrder(): [number, string][] {
    return [...this.#polls].toSorted(([a], [b]) => a - b);
  }
}
