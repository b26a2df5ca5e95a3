/**
 * Adds the ids of the active span to the lines of `console`, and sends the lines as log records. Each only on demand: the
 * first changes what the service prints, and the second sends what the service may have meant for a terminal only.
 */
import { format } from 'node:util';
import { InstrumentationBase } from '@opentelemetry/instrumentation';
import { takeLine } from './log-lines.ts';
import { traceIds } from './trace-ids.ts';

/** With the numbers of pino's levels. */
const METHODS = { debug: 20, error: 50, info: 30, log: 30, warn: 40 } as const;

export interface ConsoleSettings {
  readonly addsIds: boolean;
  readonly sends: boolean;
}

const METHOD_LEVELS = Object.entries(METHODS) as readonly (readonly [keyof typeof METHODS, number])[];

type Print = (...args: unknown[]) => void;

export class ConsoleInstrumentation extends InstrumentationBase {
  readonly #settings: ConsoleSettings;

  constructor(settings: ConsoleSettings) {
    // The base class enables the instrumentation before this one has its settings.
    super('siphon-otel/console', '0.1.0', { enabled: false });
    this.#settings = settings;
    this.enable();
  }

  protected override init(): void {
    return;
  }

  override enable(): void {
    const { addsIds, sends } = this.#settings;
    for (const [method, level] of METHOD_LEVELS) {
      if (addsIds) this['_wrap'](console, method, printedWithIds);
      // Outside of the other one, so that the ids are not in the text.
      if (sends) this['_wrap'](console, method, (print) => printedAndTaken(print, level));
    }
  }

  override disable(): void {
    const { addsIds, sends } = this.#settings;
    for (const [method] of METHOD_LEVELS)
      for (const isOn of [addsIds, sends]) if (isOn) this['_unwrap'](console, method);
  }
}

function printedWithIds(print: Print): Print {
  return function printWithIds(this: Console, ...args) {
    const ids = traceIds();
    return print.apply(this, ids.trace_id === undefined ? args : withIds(args, ids));
  };
}

function printedAndTaken(print: Print, level: number): Print {
  return function printAndTake(this: Console, ...args) {
    print.apply(this, args);
    const value = args.find((one) => one instanceof Error);
    takeLine({ json: '', message: format(...args), level, error: value && { field: '', value } });
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
