/** Adds the ids of the active span to the log lines of winston. */
import {
  InstrumentationBase,
  InstrumentationNodeModuleDefinition,
  InstrumentationNodeModuleFile,
  type InstrumentationModuleDefinition,
} from '@opentelemetry/instrumentation';
import { traceIds } from './trace-ids.ts';

const VERSIONS = ['>=3.0.0 <4'];

/** Patches a file inside the package, which it loads itself with `require`. */
export class WinstonInstrumentation extends InstrumentationBase {
  constructor() {
    super('siphon-otel/winston', '0.1.0', {});
  }

  protected override init(): InstrumentationModuleDefinition {
    const patch = (logger: LoggerClass): LoggerClass => {
      this['_wrap'](logger.prototype, 'write', observedWrite);
      return logger;
    };
    const unpatch = (logger?: LoggerClass): void => {
      if (logger !== undefined) this['_unwrap'](logger.prototype, 'write');
    };
    const file = new InstrumentationNodeModuleFile('winston/lib/winston/logger.js', VERSIONS, patch, unpatch);
    return new InstrumentationNodeModuleDefinition('winston', VERSIONS, undefined, undefined, [file]);
  }
}

interface LoggerClass {
  readonly prototype: { write: Write };
}

type Write = (this: unknown, info: unknown, ...rest: unknown[]) => unknown;

/** The object may be the service's own, so it is copied. Fields of the service win. */
function observedWrite(write: Write): Write {
  return function writeWithIds(info, ...rest) {
    const ids = traceIds();
    const isObserved = isPlainObject(info) && ids.trace_id !== undefined;
    return write.call(this, isObserved ? { ...ids, ...info } : info, ...rest);
  };
}

function isPlainObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype;
}
