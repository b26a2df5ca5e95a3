const LEGACY_NAME = /^[A-Za-z_:][A-Za-z0-9_:]*$/;
const LEGACY_LABEL = /^[A-Za-z_][A-Za-z0-9_]*$/;

/**
 * Labels of a series. Attributes whose names collide after translation keep every value, joined with `;` in the order of
 * `add`; one whose name is claimed gets the prefix `exported_`, as Prometheus itself renames.
 */
export class LabelSet {
  readonly #values = new Map<string, string>();
  readonly #claimed = new Set<string>();
  #renamed = 0;

  /** Keeps a name for what the samples of the series say themselves. Before any `add`. */
  reserve(name: string): void {
    this.#claimed.add(name);
  }

  /** What the exporter itself says of the series. Before any `add`; the first claim of a name holds. */
  claim(name: string, value: string): void {
    if (this.#claimed.has(name)) return this.add(name, value);
    this.#claimed.add(name);
    this.#values.set(name, value);
  }

  add(wanted: string, value: string): void {
    let name = wanted;
    while (this.#claimed.has(name)) name = `exported_${name}`;
    if (name !== wanted) this.#renamed++;
    const existing = this.#values.get(name);
    this.#values.set(name, existing === undefined ? value : `${existing};${value}`);
  }

  /** How many labels moved aside. */
  get renamed(): number {
    return this.#renamed;
  }

  /** `name="value",…` sorted by name, which makes it the identity of the series in its family. */
  text(): string {
    const names = [...this.#values.keys()].toSorted();
    return names.map((name) => labelText(name, escapeText(this.#values.get(name) ?? ''))).join(',');
  }
}

/** `value` is escaped already. */
export function labelText(name: string, value: string): string {
  return `${LEGACY_LABEL.test(name) ? name : quote(name)}="${value}"`;
}

/** What stands before the value: `name{labels}`, or `{"name",labels}` for a name that Prometheus wants quoted. */
export function sampleText(name: string, labels: string): string {
  return labels === '' && LEGACY_NAME.test(name) ? name : `${sampleStart(name, labels !== '')}${labels}}`;
}

/** The part of it before the labels. */
export function sampleStart(name: string, hasLabels: boolean): string {
  return LEGACY_NAME.test(name) ? `${name}{` : `{${quote(name)}${hasLabels ? ',' : ''}`;
}

/** What a sample begins with, whether it has labels or not. */
export function nameStart(name: string): string {
  return LEGACY_NAME.test(name) ? name : `{${quote(name)}`;
}

export function quoteMetric(name: string): string {
  return LEGACY_NAME.test(name) ? name : quote(name);
}

/** Help text knows no escaped quotes, except in OpenMetrics. */
export function escapeHelp(text: string, openMetrics: boolean): string {
  return openMetrics ? escapeText(text) : escapeLines(text);
}

function quote(text: string): string {
  return `"${escapeText(text)}"`;
}

function escapeText(text: string): string {
  return /["\\\n]/.test(text) ? escapeLines(text).replaceAll('"', '\\"') : text;
}

function escapeLines(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
}
