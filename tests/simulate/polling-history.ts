/** The times at which each sidecar polled, from its own metrics. */
export class PollingHistory {
  readonly #polls = new Map<number, string>();

  /** @param unixSeconds the latest poll of this sidecar; undefined if it is unknown, or it has not polled. */
  polled(name: string, unixSeconds: number | undefined): void {
    if (unixSeconds !== undefined && unixSeconds > 0) this.#polls.set(unixSeconds, name);
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
