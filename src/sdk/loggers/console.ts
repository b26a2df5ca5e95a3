/** Adds the ids of the active span to the lines of `console`. Only on demand, because it changes what the service prints. */
import { InstrumentationBase } from '@opentelemetry/instrumentation';
import { traceIds } from './trace-ids.ts';

const METHODS = ['debug', 'error', 'info', 'log', 'warn'] as const;

type Print = (...args: unknown[]) => void;

export class ConsoleInstrumentation extends InstrumentationBase {
  constructor() {
    super('siphon-otel/console', '0.1.0', {});
  }

  protected override init(): void {
    return;
  }

  override enable(): void {
    for (const method of METHODS) this['_wrap'](console, method, printedWithIds);
  }

  override disable(): void {
    for (const method of METHODS) this['_unwrap'](console, method);
  }
}

function printedWithIds(print: Print): Print {
  return function printWithIds(this: Console, ...args) {
    const ids = traceIds();
    return print.apply(this, ids.trace_id === undefined ? args : withIds(args, ids));
  };
}

/** A line of JSON stays one. */
function withIds(args: readonly unknown[], ids: object): unknown[] {
  const [only, ...others] = args;
  if (others.length === 0 && typeof only === 'string' && /^\{".*\}$/s.test(only)) {
    return [`${JSON.stringify(ids).slice(0, -1)},${only.slice(1)}`];
  }
  return [
    ...args,
    Object.entries(ids)
      .map(([name, id]) => `${name}=${String(id)}`)
      .join(' '),
  ];
}
