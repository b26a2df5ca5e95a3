export interface TextSample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
  /** Unchanged: milliseconds in the text format, seconds in OpenMetrics. */
  readonly timestamp?: number;
  readonly exemplar?: Omit<TextSample, 'name'>;
}

export interface TextFamily {
  readonly name: string;
  readonly type: string;
  readonly help?: string;
  readonly unit?: string;
  readonly samples: readonly TextSample[];
}

/**
 * Reads an exposition in the text format 0.0.4 more strictly than Prometheus: what Prometheus, or the checks
 * of its client libraries, would refuse or take for something else throws an error that names the line.
 * https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format
 */
export function parsePrometheusText(text: string): TextFamily[] {
  return new Exposition(text, false).families();
}

/** The same for OpenMetrics 1.0, https://prometheus.io/docs/specs/om/open_metrics_spec/ */
export function parseOpenMetrics(text: string): TextFamily[] {
  return new Exposition(text, true).families();
}

interface OpenFamily extends TextFamily {
  type: string;
  help?: string;
  unit?: string;
  readonly samples: TextSample[];
}

const TYPES = ['counter', 'gauge', 'histogram', 'summary'];
const SUFFIXES: Readonly<Record<string, readonly string[]>> = {
  histogram: ['_bucket', '_sum', '_count'],
  summary: ['', '_sum', '_count'],
};
const OPEN_METRICS_SUFFIXES: Readonly<Record<string, readonly string[]>> = {
  counter: ['_total', '_created'],
  histogram: ['_bucket', '_sum', '_count', '_created'],
  summary: ['', '_sum', '_count', '_created'],
};

class Exposition {
  readonly #lines: string[];
  readonly #openMetrics: boolean;
  readonly #families = new Map<string, OpenFamily>();
  readonly #owners = new Map<string, OpenFamily>();
  readonly #series = new Set<string>();
  #current: OpenFamily | undefined;

  constructor(text: string, openMetrics: boolean) {
    this.#openMetrics = openMetrics;
    if (text !== '' && !text.endsWith('\n')) throw new Error('the text does not end with a line feed');
    this.#lines = text.split('\n').slice(0, -1);
    if (openMetrics && this.#lines.pop() !== '# EOF') throw new Error('the last line is not # EOF');
  }

  families(): TextFamily[] {
    for (const [index, line] of this.#lines.entries()) {
      try {
        this.#line(line);
      } catch (error) {
        throw new Error(`line ${index + 1} (${line}): ${(error as Error).message}`, { cause: error });
      }
    }
    return [...this.#families.values()];
  }

  #line(line: string): void {
    const cursor = new Cursor(line);
    if (cursor.take('# HELP ')) this.#help(cursor);
    else if (cursor.take('# TYPE ')) this.#type(cursor);
    else if (this.#openMetrics && cursor.take('# UNIT ')) this.#unit(cursor);
    else if (line.startsWith('#')) check(!this.#openMetrics, 'OpenMetrics knows no comments');
    else if (line.trim() !== '') this.#sample(cursor);
    else check(!this.#openMetrics, 'OpenMetrics knows no empty lines');
  }

  #help(cursor: Cursor): void {
    const family = this.#metadata(cursor);
    check(family.help === undefined, 'a second HELP of the same family');
    family.help = unescape(cursor.rest(), this.#openMetrics ? '\\n"' : '\\n');
  }

  #type(cursor: Cursor): void {
    const family = this.#metadata(cursor);
    const type = cursor.rest();
    check(family.type === '', 'a second TYPE of the same family');
    check([...TYPES, this.#openMetrics ? 'unknown' : 'untyped'].includes(type), 'an unknown type');
    family.type = type;
    for (const suffix of this.#suffixes(type)) this.#claim(family.name + suffix, family);
    this.#claim(family.name, family);
  }

  #unit(cursor: Cursor): void {
    const family = this.#metadata(cursor);
    const unit = cursor.rest();
    check(family.unit === undefined, 'a second UNIT of the same family');
    check(unit === '' || family.name.endsWith(`_${unit}`), 'a unit that does not end the name');
    family.unit = unit;
  }

  /** The family that the line is about; it may not have samples yet. */
  #metadata(cursor: Cursor): OpenFamily {
    const name = cursor.peek() === '"' ? cursor.quoted() : cursor.match(/[A-Za-z_:][A-Za-z0-9_:]*/y, 'a metric name');
    cursor.expect(' ');
    const family = this.#families.get(name) ?? this.#open(name);
    check(family.samples.length === 0, 'metadata after samples of the family');
    check(family === this.#current, 'metadata of a family that was left already');
    return family;
  }

  #open(name: string): OpenFamily {
    const family: OpenFamily = { name, type: '', samples: [] };
    check(!this.#owners.has(name), `the name belongs to the family ${this.#owners.get(name)?.name}`);
    this.#families.set(name, family);
    this.#current = family;
    return family;
  }

  #claim(name: string, family: OpenFamily): void {
    const owner = this.#owners.get(name) ?? this.#families.get(name) ?? family;
    check(owner === family, `${name} belongs to the family ${owner.name} already`);
    this.#owners.set(name, family);
  }

  #suffixes(type: string): readonly string[] {
    return (this.#openMetrics ? OPEN_METRICS_SUFFIXES : SUFFIXES)[type] ?? [''];
  }

  #sample(cursor: Cursor): void {
    const sample = cursor.sample(this.#openMetrics);
    const family = this.#familyOf(sample.name);
    const quantile = family.type === 'summary' && sample.name === family.name;
    for (const [label, wanted] of [
      ['le', family.type === 'histogram' && sample.name.endsWith('_bucket')],
      ['quantile', quantile],
    ] as const) {
      check(!wanted || isNumber(sample.labels[label]), `${label} is missing or no number`);
    }
    const key = JSON.stringify([
      sample.name,
      Object.entries(sample.labels)
        .map((label) => JSON.stringify(label))
        .toSorted(),
    ]);
    check(!this.#series.has(key), 'a second sample of the same series');
    this.#series.add(key);
    family.samples.push(sample);
  }

  #familyOf(name: string): OpenFamily {
    const owner = this.#owners.get(name) ?? this.#families.get(name) ?? this.#open(name);
    check(owner === this.#current, 'a sample outside its family');
    const known = owner.type === '' || this.#suffixes(owner.type).some((suffix) => owner.name + suffix === name);
    check(known, `no sample of a ${owner.type} has this name`);
    return owner;
  }
}

/** A place in a line. */
class Cursor {
  readonly #line: string;
  #at = 0;

  constructor(line: string) {
    this.#line = line;
  }

  sample(openMetrics: boolean): TextSample {
    let name = this.peek() === '{' ? '' : this.match(/[A-Za-z_:][A-Za-z0-9_:]*/y, 'a metric name');
    const labels: Record<string, string> = {};
    if (this.take('{')) name = this.#labels(name, labels);
    check(name !== '', 'a sample without a name');
    this.expect(' ');
    const value = this.#number();
    const timestamp = this.#line.startsWith(' # ', this.#at) || !this.take(' ') ? undefined : this.#number();
    check(
      openMetrics || timestamp === undefined || Number.isSafeInteger(timestamp),
      'a timestamp that is not an integer',
    );
    const exemplar = openMetrics && this.take(' # ') ? this.#exemplar() : undefined;
    check(this.#at === this.#line.length, `unexpected ${this.rest()}`);
    return {
      name,
      labels,
      value,
      ...(timestamp === undefined ? {} : { timestamp }),
      ...(exemplar ? { exemplar } : {}),
    };
  }

  peek(): string {
    return this.#line.charAt(this.#at);
  }

  take(text: string): boolean {
    const found = this.#line.startsWith(text, this.#at);
    if (found) this.#at += text.length;
    return found;
  }

  expect(text: string): void {
    check(this.take(text), `expected "${text}" at column ${this.#at + 1}`);
  }

  match(pattern: RegExp, what: string): string {
    pattern.lastIndex = this.#at;
    const text = pattern.exec(this.#line)?.[0];
    if (text === undefined) throw new Error(`expected ${what} at column ${this.#at + 1}`);
    this.#at += text.length;
    return text;
  }

  rest(): string {
    const rest = this.#line.slice(this.#at);
    this.#at = this.#line.length;
    return rest;
  }

  quoted(): string {
    const text = this.match(/"(?:[^"\\]|\\.)*"/y, 'a quoted text');
    return unescape(text.slice(1, -1), '\\n"');
  }

  /** Fills `target` up to the closing brace and returns the metric's name, which may stand inside. */
  #labels(name: string, target: Record<string, string>): string {
    let metric = name;
    while (!this.take('}')) {
      const quotedName = this.peek() === '"';
      const label = quotedName ? this.quoted() : this.match(/[A-Za-z_][A-Za-z0-9_]*/y, 'a label name');
      if (this.take('=')) {
        check(label !== '' && label !== '__name__', 'a label that Prometheus keeps for itself');
        check(!Object.hasOwn(target, label), `a second label ${label}`);
        Object.defineProperty(target, label, { value: this.quoted(), enumerable: true });
      } else {
        check(quotedName && metric === '', 'a second name');
        metric = label;
      }
      if (this.peek() !== '}') this.expect(',');
    }
    return metric;
  }

  #exemplar(): Omit<TextSample, 'name'> {
    const labels: Record<string, string> = {};
    this.expect('{');
    check(this.#labels('', labels) === '', 'an exemplar has no name');
    const runes = Object.entries(labels).reduce((sum, [key, text]) => sum + Array.from(key + text).length, 0);
    check(runes <= 128, 'an exemplar with more than 128 characters of labels');
    this.expect(' ');
    const value = this.#number();
    return { labels, value, ...(this.take(' ') ? { timestamp: this.#number() } : {}) };
  }

  #number(): number {
    return toNumber(this.match(/[^ ]+/y, 'a number'));
  }
}

function unescape(text: string, allowed: string): string {
  return text.replaceAll(/\\(.?)/gs, (_, escaped: string) => {
    check(escaped !== '' && allowed.includes(escaped), `an unknown escape \\${escaped}`);
    return escaped === 'n' ? '\n' : escaped;
  });
}

const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;

function isNumber(text: string | undefined): boolean {
  return text !== undefined && (NUMBER.test(text) || /^(?:NaN|[+-]?Inf)$/.test(text));
}

function toNumber(text: string): number {
  check(isNumber(text), `${text} is not a number`);
  return text.endsWith('Inf') ? (text.startsWith('-') ? -Infinity : Infinity) : Number(text);
}

function check(condition: boolean, complaint: string): asserts condition {
  if (!condition) throw new Error(complaint);
}
