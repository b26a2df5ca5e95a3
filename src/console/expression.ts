/** How the text of the model becomes what Prometheus takes: variables, and what Grafana calls macros. */
import type { Steps } from './data-source.ts';

/** The chosen values by the name of a variable. Undefined: all values. */
export type Choices = Readonly<Record<string, readonly string[] | undefined>>;

/** @param scrapeS How often Prometheus scrapes; a rate needs four scrapes to be one. */
export function concrete(
  expression: string,
  { choices, steps, scrapeS }: { readonly choices: Choices; readonly steps: Steps; readonly scrapeS: number },
): string {
  const { fromS, toS, stepS } = steps;
  const macros: Readonly<Record<string, string>> = {
    __rate_interval: `${Math.ceil(Math.max(stepS + scrapeS, 4 * scrapeS))}s`,
    __interval: `${Math.ceil(stepS)}s`,
    __interval_ms: String(Math.ceil(stepS) * 1000),
    __range: `${Math.ceil(toS - fromS)}s`,
    __range_ms: String(Math.ceil(toS - fromS) * 1000),
  };
  return withChoices(expression, choices, macros);
}

/** The series of a variable, within what the other variables choose. */
export function withChoices(text: string, choices: Choices, macros: Readonly<Record<string, string>> = {}): string {
  return text.replaceAll(/\$(\w+)/g, (whole, name: string) => {
    const macro = macros[name];
    if (macro !== undefined) return macro;
    return Object.hasOwn(choices, name) ? pattern(choices[name]) : whole;
  });
}

/** One value as it is, for windows; of several, a regular expression within a string of PromQL. */
function pattern(chosen: readonly string[] | undefined): string {
  if (chosen === undefined) return '.*';
  return chosen.map((value) => quoted(value)).join('|');
}

function quoted(value: string): string {
  return value.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`).replaceAll(/[\\"]/g, String.raw`\$&`);
}

/**
 * Evenly spaced times that end now. The latest scrape is always included, even with long steps, although Prometheus looks
 * back only five minutes from each.
 */
export function stepsFor(
  { lengthS, nowS }: { readonly lengthS: number; readonly nowS: number },
  { points, leastS }: { readonly points: number; readonly leastS: number },
): Steps {
  const stepS = Math.max(Math.ceil(lengthS / points), leastS, 1);
  return { fromS: nowS - Math.ceil(lengthS / stepS) * stepS, toS: nowS, stepS };
}
