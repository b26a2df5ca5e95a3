interface Limits {
  readonly texts: number;
  /** Longer texts are not remembered. */
  readonly characters: number;
}

/**
 * The same function, which remembers its results: services repeat few texts. Senders decide how many there are, so that it
 * forgets all of them when there are too many.
 */
export function remembering<T>(resultOf: (text: string) => T, { texts, characters }: Limits): (text: string) => T {
  const results = new Map<string, T>();
  return (text) => {
    const known = results.get(text);
    if (known !== undefined) return known;
    const result = resultOf(text);
    if (text.length > characters) return result;
    if (results.size === texts) results.clear();
    results.set(text, result);
    return result;
  };
}
