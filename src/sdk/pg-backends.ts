/**
 * Describes which server process ran a statement of pg, and in which transaction, so that the sidecar finds the span of a
 * session that it sees waiting for a lock. The connection itself shows both: nothing is asked of the database.
 */
import { SpanStatusCode, type Attributes, type Span } from '@opentelemetry/api';
import type { PgInstrumentation } from '@opentelemetry/instrumentation-pg';
import { backendAttributes } from '../metrics/postgres-sessions.ts';
import { addSpanProcessor } from './span-processors.ts';

/** Follows the transactions of each connection that is opened from now on. */
export function followBackends(instrumentation: PgInstrumentation): void {
  const createPatch = instrumentation['_getClientConnectPatch'].bind(instrumentation);
  const patchConnect: typeof createPatch = () => {
    const patch = createPatch();
    return (original: Connect) => {
      const patched = patch(original);
      return function followedConnect(this: PgClient, ...args: unknown[]) {
        follow(this);
        return patched.apply(this, args);
      };
    };
  };
  instrumentation['_getClientConnectPatch'] = patchConnect;
}

/** Connects a span with the client that runs its statement. */
export function startedOn(client: object, span: Span): void {
  const backend = backends.get(client);
  if (backend !== undefined) statements.set(span, { backend, calledMs: Date.now() });
}

/** Adds the attributes to ending spans of the current tracer provider. */
export function describePgBackends(): void {
  addSpanProcessor({
    onEnding: (span) => {
      const statement = statements.get(span);
      if (statement === undefined) return;
      const hasFailed = span.status.code === SpanStatusCode.ERROR;
      Object.assign(span.attributes, statement.backend.describe(statement.calledMs, hasFailed));
    },
  });
}

type Connect = (this: PgClient, ...args: unknown[]) => unknown;

/** The parts of a client that every version 8 of pg has. The native client has no connection. */
interface PgClient {
  readonly processID?: number | null;
  readonly pipeline?: boolean;
  readonly connection?: { on?(event: string, listener: (message: { readonly status?: string }) => void): void };
}

interface Statement {
  readonly backend: Backend;
  readonly calledMs: number;
}

interface Transaction {
  /** The times between which its first statement was sent and answered. */
  readonly began: string;
}

/** A client that the application drops can be collected as garbage. */
const backends = new WeakMap<object, Backend>();
const statements = new WeakMap<object, Statement>();

function follow(client: PgClient): void {
  const { connection } = client;
  // Statements in a pipeline are sent before earlier ones are answered.
  if (backends.has(client) || client.pipeline === true || typeof connection?.on !== 'function') return;
  const backend = new Backend(client);
  backends.set(client, backend);
  // Before the listeners of the client, which end the statement.
  connection.on('readyForQuery', ({ status }) => backend.answered(status));
  connection.on('errorMessage', () => backend.failed());
}

/** Linux has no greater process id. Poolers announce random numbers. */
const MAX_PID = 2 ** 22;

/**
 * The server process of one connection. Each statement lies between two answers `ReadyForQuery`, whose status shows whether
 * a transaction is open. So the times of these answers divide the life of the connection into its statements.
 */
class Backend {
  readonly #client: PgClient;
  readonly #connectingMs = Date.now();
  #connected = '';
  #answers = 0;
  #answeredMs = 0;
  /** The answer before. */
  #previousMs = 0;
  #open: Transaction | undefined;
  /** The transaction of the statement that was answered last. */
  #finished: Transaction | undefined;
  /** The state when a statement failed, which ends its span before or after its answer. */
  #failure:
    | { readonly answers: number; readonly answeredMs: number; readonly open: Transaction | undefined }
    | undefined;

  constructor(client: PgClient) {
    this.#client = client;
  }

  answered(status: string | undefined): void {
    const nowMs = Date.now();
    const isFirst = this.#answers++ === 0;
    this.#previousMs = isFirst ? nowMs : this.#answeredMs;
    this.#answeredMs = nowMs;
    if (isFirst) this.#connected = interval(this.#connectingMs, nowMs);
    const isOpen = status === 'T' || status === 'E';
    const current = this.#open ?? (isOpen ? { began: interval(this.#previousMs, nowMs) } : undefined);
    this.#finished = current;
    this.#open = isOpen ? current : undefined;
  }

  failed(): void {
    this.#failure = { answers: this.#answers, answeredMs: this.#answeredMs, open: this.#open };
  }

  /** The attributes of a statement that ends now. @param calledMs when the application called the client. */
  describe(calledMs: number, hasFailed: boolean): Attributes {
    const { processID: pid } = this.#client;
    if (typeof pid !== 'number' || this.#answers === 0) return {};
    if (pid <= 0 || pid > MAX_PID) return { [backendAttributes.pooled]: true };
    const { sentAfterMs, transaction, isLast } = hasFailed ? this.#failedStatement() : this.#answeredStatement();
    return {
      [backendAttributes.pid]: pid,
      [backendAttributes.connected]: this.#connected,
      ...(sentAfterMs > calledMs && { [backendAttributes.sent]: new Date(sentAfterMs).toISOString() }),
      ...(transaction !== undefined && { [backendAttributes.transactionBegan]: transaction.began }),
      ...(isLast && { [backendAttributes.transactionEnded]: true }),
    };
  }

  #answeredStatement(): StatementPlace {
    const transaction = this.#finished;
    return {
      sentAfterMs: this.#previousMs,
      transaction,
      isLast: transaction !== undefined && this.#open === undefined,
    };
  }

  #failedStatement(): StatementPlace {
    const failure = this.#failure;
    // Without an answer of the server: the connection was lost, or the client did not wait any longer.
    if (failure === undefined || this.#answers - failure.answers > 1)
      return { sentAfterMs: this.#answeredMs, transaction: this.#open, isLast: false };
    const isLast = failure.open !== undefined && this.#answers > failure.answers && this.#open === undefined;
    return { sentAfterMs: failure.answeredMs, transaction: failure.open, isLast };
  }
}

interface StatementPlace {
  /** The client sends a statement when all earlier ones are answered. */
  readonly sentAfterMs: number;
  readonly transaction: Transaction | undefined;
  readonly isLast: boolean;
}

/** As in ISO 8601. */
function interval(fromMs: number, toMs: number): string {
  return `${new Date(fromMs).toISOString()}/${new Date(toMs).toISOString()}`;
}
