/** Adds the ids of the active span to the log lines of bunyan, which is one file. */
import { LoadedModulesInstrumentation, type Patches } from '../frameworks/loaded-modules.ts';
import { traceIds } from './trace-ids.ts';

export class BunyanInstrumentation extends LoadedModulesInstrumentation {
  constructor() {
    super('bunyan', 'resolved');
  }

  protected override patches(): Patches {
    return { '/node_modules/bunyan/lib/bunyan.js': ({ default: logger }) => patch(logger as LoggerClass | undefined) };
  }
}

interface LoggerClass {
  readonly prototype?: { _emit?: Emit };
}

type Emit = (this: unknown, record: Record<string, unknown>, ...rest: unknown[]) => unknown;

const patched = new WeakSet<object>();

/** Bunyan makes the record for this call. Fields of the service win. */
function patch(logger: LoggerClass | undefined): void {
  const prototype = logger?.prototype;
  const emit = prototype?.['_emit'];
  if (prototype === undefined || emit === undefined || patched.has(prototype)) return;
  patched.add(prototype);
  prototype['_emit'] = function emitWithIds(record, ...rest) {
    for (const [name, id] of Object.entries(traceIds())) record[name] ??= id;
    return emit.call(this, record, ...rest);
  };
}
