const LEGACY_NAME = /^[A-Za-z_:][A-Za-z0-9_:]*$/;
const LEGACY_LABEL = /^[A-Za-z_][A-Za-z0-9_]*$/;

/**
 * The labels of a series. If attributes have the same name after translation, their values are joined with `;` in the
 * order of `add`. If the name is already claimed, the attribute gets the prefix `exported_`, as in Prometheus.
 */
export class LabelSet {
  readonly #values = new Map<string, string>();
  readonly #claimed = new Set<string>();
  #renamed = 0;

  /** Reserves a name for a label that samples of the series add. Call it before any `add`. */
  reserve(name: string): void {
    this.#claimed.add(name);
  }

  /** Adds a label of the exporter. Call it before any `add`; the first claim of a name takes precedence. */
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

  /** How many labels were renamed. */
  get renamed(): number {
    return this.#renamed;
  }

  /** `name="value",…` sorted by name. It identifies the series in its family. */
  text(): string {
    const names = [...this.#values.keys()].toSorted();
    return names.map((name) => labelText(name, escapeText(this.#values.get(name) ?? ''))).join(',');
  }
}

/** @param value is already escaped. */
export function labelText(name: string, value: string): string {
  return `${LEGACY_LABEL.test(name) ? name : quote(name)}="${value}"`;
}

/** A sample without its value: `name{labels}`, or `{"name",labels}` for a name that needs quotes. */
export function sampleText(name: string, labels: string): string {
  return labels === '' && LEGACY_NAME.test(name) ? name : `${sampleStart(name, labels !== '')}${labels}}`;
}

/** The part of `sampleText` before the labels. */
export function sampleStart(name: string, hasLabels: boolean): string {
  return LEGACY_NAME.test(name) ? `${name}{` : `{${quote(name)}${hasLabels ? ',' : ''}`;
}

/** The start of a sample, with or without labels. */
export function nameStart(name: string): string {
  return LEGACY_NAME.test(name) ? name : `{${quote(name)}`;
}

export function quoteMetric(name: string): string {
  return LEGACY_NAME.test(name) ? name : quote(name);
}

/** Only OpenMetrics escapes quotes in help text. */
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
