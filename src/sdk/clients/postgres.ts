/** Observes postgres.js. Its statements are objects of one class, whose file imports nothing else. */
import { withoutLiterals } from '../../privacy/query-literals.ts';
import { LoadedModulesInstrumentation, type Patches } from '../frameworks/loaded-modules.ts';
import { sqlVerb } from '../sql-verb.ts';
import { startDatabaseCall, type EndCall } from './database-call.ts';

export class PostgresInstrumentation extends LoadedModulesInstrumentation {
  constructor() {
    super('postgres', 'resolved');
  }

  protected override patches(): Patches {
    return { '/node_modules/postgres/src/query.js': patch, '/node_modules/postgres/cjs/src/query.js': patch };
  }
}

type Settle = (value: unknown) => unknown;

interface Query {
  readonly strings: readonly string[];
  readonly executed: boolean;
  resolve: Settle;
  reject: Settle;
}

interface QueryClass {
  readonly prototype: { handle: (this: Query) => unknown };
}

const patched = new WeakSet<object>();

function patch(exports: { readonly Query?: unknown; readonly default?: unknown }): void {
  const found = (exports.Query ?? (exports.default as { readonly Query?: unknown } | undefined)?.Query) as
    | QueryClass
    | undefined;
  if (found === undefined || patched.has(found.prototype)) return;
  patched.add(found.prototype);
  const { handle } = found.prototype;
  // A statement is sent when somebody waits for it, and may be waited for again.
  found.prototype.handle = function observedHandle() {
    if (!this.executed) observe(this);
    return handle.call(this);
  };
}

/** The client reads the types of arrays once for each connection. */
const OWN = /^\s*select b\.oid, b\.typarray\s/;

/** The strings are the parts of a tagged template between its values. */
function observe(query: Query): void {
  const text = query.strings.join('?');
  if (OWN.test(text)) return;
  const end = startDatabaseCall({
    system: 'postgresql',
    operation: sqlVerb(text),
    text: withoutLiterals(text, 'postgresql'),
  });
  endWith(query, 'resolve', () => end());
  endWith(query, 'reject', end);
}

/** A cursor replaces both functions for each batch of rows. */
function endWith(query: Query, settle: 'resolve' | 'reject', end: EndCall): void {
  let current = query[settle];
  Object.defineProperty(query, settle, {
    configurable: true,
    enumerable: true,
    get: (): Settle => (value) => {
      end(value);
      return current(value);
    },
    set: (next: Settle) => {
      current = next;
    },
  });
}
