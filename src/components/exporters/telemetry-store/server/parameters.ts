import { suggest } from '../../../../engine/config/nearest-name.ts';
import { parseDuration } from '../../../../engine/schema/duration.ts';
import { MAX_ATTRIBUTES } from '../queries/criteria.ts';

/** The request is wrong. The message is for its author. */
export class BadQuery extends Error {
  override readonly name = 'BadQuery';
}

const SEVERITIES = ['trace', 'debug', 'info', 'warn', 'error', 'fatal'];
const MAX_SEVERITY = 24;
const MAX_LIMIT = 1000;

/** Reads the parameters of a query and reports mistakes as `BadQuery`. */
export class Parameters {
  readonly #values: URLSearchParams;

  /** @param allowed the names that the query has. */
  constructor(values: URLSearchParams, allowed: readonly string[]) {
    this.#values = values;
    for (const name of values.keys()) {
      if (!allowed.includes(name))
        throw new BadQuery(`unknown parameter: ${name.slice(0, 100)}${suggest(name, allowed)}`);
    }
  }

  /** Undefined if it is absent or empty. */
  text(name: string): string | undefined {
    return this.#values.get(name) || undefined;
  }

  durationMs(name: string): number | undefined {
    const text = this.text(name);
    const ms = text === undefined ? undefined : parseDuration(text);
    if (text !== undefined && (ms === undefined || ms < 0))
      throw new BadQuery(`${name} must be a duration such as 200ms`);
    return ms;
  }

  /** A moment in milliseconds since 1970, written as a date or as a duration before now. */
  timeMs(name: string): number | undefined {
    const text = this.text(name);
    return text === undefined ? undefined : momentOf(name, text);
  }

  /** Two moments with a comma between them. */
  period(name: string): { readonly fromMs: number; readonly toMs: number } | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    const [from = '', to = '', ...others] = text.split(',');
    if (others.length > 0 || to === '') throw new BadQuery(`${name} must be two times with a comma, such as 15m,10m`);
    const period = { fromMs: momentOf(name, from), toMs: momentOf(name, to) };
    if (period.fromMs > period.toMs) throw new BadQuery(`${name} must begin with the earlier time, such as 15m,10m`);
    return period;
  }

  choice<const Choice extends string>(name: string, choices: readonly Choice[]): Choice | undefined {
    const text = this.text(name)?.toLowerCase();
    if (text === undefined) return undefined;
    const chosen = choices.find((choice) => choice === text);
    if (chosen === undefined) throw new BadQuery(`${name} must be ${choices.join(', ')}${suggest(text, choices)}`);
    return chosen;
  }

  /** The number of the lowest severity. */
  severity(name: string): number | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    if (/^\d+$/.test(text)) {
      const number = Number(text);
      if (number < 1 || number > MAX_SEVERITY) throw new BadQuery(`${name} must be a number from 1 to ${MAX_SEVERITY}`);
      return number;
    }
    return SEVERITIES.indexOf(this.choice(name, SEVERITIES) as string) * 4 + 1;
  }

  count(name: string): number | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    if (!/^\d{1,15}$/.test(text)) throw new BadQuery(`${name} must be a number`);
    return Number(text);
  }

  limit(fallback: number): number {
    const limit = this.count('limit') ?? fallback;
    if (limit < 1 || limit > MAX_LIMIT) throw new BadQuery(`limit must be a number from 1 to ${MAX_LIMIT}`);
    return limit;
  }

  attributes(name: string): { readonly key: string; readonly value: string }[] {
    const all = this.#values.getAll(name);
    if (all.length > MAX_ATTRIBUTES) throw new BadQuery(`at most ${MAX_ATTRIBUTES} attributes can be asked for`);
    return all.map((text) => {
      const at = text.indexOf('=');
      if (at < 1) throw new BadQuery(`${name} must be KEY=VALUE`);
      return { key: text.slice(0, at), value: text.slice(at + 1) };
    });
  }
}

function momentOf(name: string, text: string): number {
  const agoMs = parseDuration(text);
  const ms = agoMs === undefined ? dateMs(text) : Date.now() - agoMs;
  if (Number.isNaN(ms) || (agoMs ?? 0) < 0)
    throw new BadQuery(`${name} must be a duration such as 15m, or a time such as 2026-01-31T12:00:00Z`);
  return ms;
}

/** A date begins with its year: `Date.parse` also takes `-1` for one. */
function dateMs(text: string): number {
  return /^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(text) : NaN;
}
