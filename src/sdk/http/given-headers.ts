/** Keeps the headers that the application gives in unusual forms, which the instrumentations of http and fetch break. */
import type { HttpInstrumentation } from '@opentelemetry/instrumentation-http';
import type { UndiciInstrumentation } from '@opentelemetry/instrumentation-undici';

type Headers = readonly unknown[];
type Send = (this: unknown, ...args: unknown[]) => unknown;

interface Options {
  readonly headers: unknown;
}

/**
 * `http.request` accepts headers as a list of names and values, or of pairs. The instrumentation would send the positions
 * as names.
 */
export function keepHeaderLists(http: HttpInstrumentation): void {
  const create: (component: string, send: Send) => Send = http['_outgoingRequestFunction'].bind(http);
  http['_outgoingRequestFunction'] = (component: string, send: Send): Send => {
    let given: Headers | undefined;
    const observed = create(component, function sendGiven(...args) {
      const list = given;
      given = undefined;
      if (list === undefined) return send.apply(this, args);
      return send.apply(
        this,
        withHeaders(args, ({ headers }) => joined(list, headers as Record<string, unknown>)),
      );
    });
    return function sendObserved(...args) {
      given = args.map((arg) => (isOptions(arg) ? arg.headers : undefined)).find((headers) => Array.isArray(headers));
      const plain = given === undefined ? args : withHeaders(args, () => ({}));
      try {
        return observed.apply(this, plain);
      } finally {
        given = undefined;
      }
    };
  };
}

function isOptions(value: unknown): value is Options {
  return typeof value === 'object' && value !== null && 'headers' in value;
}

function withHeaders(args: unknown[], headersOf: (options: Options) => unknown): unknown[] {
  return args.map((arg) => (isOptions(arg) ? { ...arg, headers: headersOf(arg) } : arg));
}

/** The list of the application, with the headers of the trace in the same form. */
function joined(list: Headers, injected: Readonly<Record<string, unknown>>): Headers {
  const isOfPairs = Array.isArray(list[0]);
  const names = new Set(list.flatMap((item, at) => nameIn(item, isOfPairs || at % 2 === 0)));
  const added = Object.entries(injected).filter(([name]) => !names.has(name.toLowerCase()));
  return isOfPairs ? [...list, ...added] : [...list, ...added.flat()];
}

function nameIn(item: unknown, isName: boolean): string[] {
  const name: unknown = Array.isArray(item) ? item[0] : item;
  return isName && typeof name === 'string' ? [name.toLowerCase()] : [];
}

/** A service may write the headers of a trace itself. With a second value, receivers read none. */
export function replaceTraceHeaders(undici: UndiciInstrumentation): void {
  const onCreated = undici['onRequestCreated'].bind(undici);
  undici['onRequestCreated'] = (message: { readonly request: { readonly headers?: unknown } }) => {
    const { headers } = message.request;
    const before = Array.isArray(headers) ? headers.length : 0;
    onCreated(message);
    if (before > 0) removeReplaced(headers as unknown[], before);
  };
}

/** Names and values take turns. Those from this place on were added. */
function removeReplaced(headers: unknown[], from: number): void {
  const added = new Set(headers.slice(from).filter((_, at) => at % 2 === 0));
  if (added.size === 0) return;
  for (let at = from - 2; at >= 0; at -= 2) {
    const name = headers[at];
    if (typeof name === 'string' && added.has(name.toLowerCase())) headers.splice(at, 2);
  }
}
