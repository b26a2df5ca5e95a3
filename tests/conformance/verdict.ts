import type { Page } from './case-runner.ts';
import type { ConformanceCase } from './conformance-case.ts';
import { inputHash, type Recording } from './recording.ts';

export interface Verdict {
  readonly matches: number;
  /** Cases with declared differences. */
  readonly declared: number;
  /** One text for each case, recording or declaration that is not as it should be. */
  readonly problems: readonly string[];
}

export interface Evidence {
  readonly cases: readonly ConformanceCase[];
  readonly recording: Recording;
  /** siphon's. */
  readonly pages: ReadonlyMap<string, Page>;
  /** The ids of docs/compatibility.md. */
  readonly declaredIds: ReadonlySet<string>;
}

/** Holds siphon's pages against the recording, and the declared differences against both. */
export function judge({ cases, recording, pages, declaredIds }: Evidence): Verdict {
  const verdicts = cases.map((one) => judgeCase(one, recording, pages.get(one.name) ?? []));
  const problems = verdicts.filter((verdict) => verdict !== undefined);
  const used = new Set(cases.flatMap(({ differs }) => differs?.id ?? []));
  for (const id of used) if (!declaredIds.has(id)) problems.push(`docs/compatibility.md has no row ${id}`);
  for (const id of declaredIds) if (!used.has(id)) problems.push(`docs/compatibility.md: no case shows ${id}`);
  const good = cases.filter((_, i) => verdicts[i] === undefined);
  const declared = good.filter(({ differs }) => differs !== undefined).length;
  return { matches: good.length - declared, declared, problems: [...problems, ...nameProblems(cases, recording)] };
}

function judgeCase(one: ConformanceCase, recording: Recording, page: Page): string | undefined {
  const { name, differs, stockIsRandom } = one;
  const stock = recording[name];
  if (stockIsRandom !== true && stock?.input !== inputHash(one)) {
    return `${name}: not recorded as it is now; run npm run conformance:record`;
  }
  if (differs === undefined) return problem(name, 'stock', stock?.page ?? [], page);
  if (stock !== undefined && pageDifference(stock.page, differs.page) === '') {
    return `${name}: declared to differ, but the declared page is the stock one`;
  }
  return problem(name, 'declared', differs.page, page);
}

function problem(name: string, source: string, expected: Page, page: Page): string | undefined {
  const difference = pageDifference(expected, page);
  return difference === '' ? undefined : `${name} (- ${source}, + siphon)\n${difference}`;
}

/** The lines that only one of two pages has; empty if they say the same. */
function pageDifference(expected: Page, actual: Page): string {
  const [before, after] = [withFamilies(expected), withFamilies(actual)];
  return [
    ...missing(before, after).map((line) => `  - ${line}`),
    ...missing(after, before).map((line) => `  + ${line}`),
  ].join('\n');
}

/** Order means nothing, but a sample must stand under its own family. */
function withFamilies(page: Page): string[] {
  let family = '';
  return page.map((line) => {
    family = /^# (?:HELP|TYPE|UNIT) (\S+)/.exec(line)?.[1] ?? family;
    return line.startsWith('#') ? line : `${family} › ${line}`;
  });
}

function missing(lines: readonly string[], others: readonly string[]): string[] {
  const rest = [...others];
  return lines.filter((line) => {
    const at = rest.indexOf(line);
    if (at >= 0) rest.splice(at, 1);
    return at < 0;
  });
}

function nameProblems(cases: readonly ConformanceCase[], recording: Recording): string[] {
  const names = cases.map(({ name }) => name);
  return [
    ...names.filter((name, i) => names.indexOf(name) !== i).map((name) => `two cases are named “${name}”`),
    ...Object.keys(recording)
      .filter((name) => !names.includes(name))
      .map((name) => `recorded, but no case: “${name}”`),
  ];
}
