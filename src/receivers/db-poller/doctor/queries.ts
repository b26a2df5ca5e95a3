import type { Finding } from '../../../collector/diagnosis.ts';
import { PostgresError } from '../../../postgres/postgres-error.ts';
import type { PackSchema, PollQuery } from '../pack.ts';
import type { Check, Examined } from './check.ts';

/** Of its timeout; a query that comes nearer fails on the next busy day. */
const SLOW_SHARE = 0.5;
const MAX_NAMED = 5;

/** Runs each query of the packs once, and looks at what its rows say. */
export const queries: Check = {
  about: 'the queries',
  async *find(examined) {
    const answered: { readonly name: string; readonly durationMs: number }[] = [];
    for (const pack of examined.packs) {
      const schema = await examined.schemaOf(pack);
      for (const [query, definition] of Object.entries(pack.queries)) {
        if (schema.missing(definition.needs).length > 0) continue;
        const name = `${pack.name}.${query}`;
        const timeoutMs = pack.overrides[query]?.timeout ?? examined.config.timeout;
        const durationMs = yield* run({ name, definition, schema, timeoutMs }, examined);
        if (durationMs !== undefined) answered.push({ name, durationMs });
      }
    }
    const slowest = answered.toSorted((a, b) => b.durationMs - a.durationMs)[0];
    if (slowest === undefined) return;
    const what = `${answered.length} queries answer; the slowest, ${slowest.name}, takes ${Math.round(slowest.durationMs)} ms`;
    yield { severity: 'ok', what };
  },
};

interface Run {
  readonly name: string;
  readonly definition: PollQuery;
  readonly schema: PackSchema;
  readonly timeoutMs: number;
}

/** Returns how long it took, if it answered. */
async function* run(one: Run, { ask }: Examined): AsyncGenerator<Finding, number | undefined> {
  const { name, definition, schema, timeoutMs } = one;
  const { text, values } = definition.statement(schema);
  const startedAt = performance.now();
  try {
    const rows = await ask(text, values, timeoutMs);
    const durationMs = performance.now() - startedAt;
    if (durationMs > timeoutMs * SLOW_SHARE) yield slow(one, durationMs);
    const invalid: string[] = [];
    definition.derive?.(rows, (subject) => invalid.push(subject));
    if (invalid.length > 0) yield invalidCrons(name, invalid);
    return durationMs;
  } catch (error) {
    const repair = error instanceof PostgresError && error.reason === 'timeout' ? longer(one) : undefined;
    const what = `${name} gives no points: ${PostgresError.from(error).message}`;
    yield { severity: 'error', what, ...(repair && { repair }) };
    return undefined;
  }
}

function slow(one: Run, durationMs: number): Finding {
  const what = `${one.name} takes ${Math.round(durationMs)} ms of the ${one.timeoutMs} ms that it may`;
  return { severity: 'warning', what, repair: longer(one) };
}

function longer({ name }: Run): string {
  const [pack, query] = name.split('.', 2);
  return `See what is said of indexes, or set packs::${pack}::queries::${query}::timeout`;
}

function invalidCrons(name: string, subjects: readonly string[]): Finding {
  const named = subjects.slice(0, MAX_NAMED).join(', ');
  const rest = subjects.length > MAX_NAMED ? ` and ${subjects.length - MAX_NAMED} more` : '';
  return {
    severity: 'warning',
    what: `${name} has no points where a cron text is invalid or never comes: ${named}${rest}`,
    repair: 'Write five fields (minute hour day month weekday) or an alias such as @weekly',
  };
}
