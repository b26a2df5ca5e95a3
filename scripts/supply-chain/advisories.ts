/** The part of the output of `npm audit --json` that matters here. */
export interface AuditReport {
  readonly vulnerabilities?: Readonly<Record<string, Vulnerability>>;
  /** Set if the registry does not offer audits, or cannot be reached. */
  readonly message?: string;
  readonly error?: unknown;
}

interface Vulnerability {
  readonly severity: string;
  /** Advisories, or the names of vulnerable dependencies. */
  readonly via: readonly (string | { readonly title: string; readonly url: string })[];
}

/** One line for each advisory about these packages. Undefined if the report contains no answer. */
export function advisoriesFor(names: ReadonlySet<string>, report: AuditReport): readonly string[] | undefined {
  if (report.vulnerabilities === undefined) return undefined;
  return Object.entries(report.vulnerabilities)
    .filter(([name]) => names.has(name))
    .flatMap(([name, { severity, via }]) =>
      via.flatMap((cause) => (typeof cause === 'string' ? [] : [`${name}: ${severity}: ${cause.title} ${cause.url}`])),
    );
}
