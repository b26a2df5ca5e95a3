/** `1 dashboard`, `2 dashboards`, for nouns whose plural ends in `s`. */
export function counted(count: number, noun: string): string {
  return `${count} ${count === 1 ? noun : `${noun}s`}`;
}
