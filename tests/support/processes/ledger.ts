/** The lines of the sidecar's own metrics that show an account in which the fate of items is not known. */
export function wrongAccounts(page: string): string[] {
  return page.split('\n').filter((line) => /^siphon_ledger_difference_items(?:\{.*\})? (?!0$)/.test(line));
}
