/** Adds the ids of the active span to the log lines of pino, and sends the lines as log records, too. */
import {
  InstrumentationBase,
  InstrumentationNodeModuleDefinition,
  InstrumentationNodeModuleFile,
  type InstrumentationModuleDefinition,
} from '@opentelemetry/instrumentation';
import { takeLine } from './log-lines.ts';
import { traceIds } from './trace-ids.ts';

/**
 * Patches a file inside the package, which pino itself loads with `require`, instead of its main export. So it works
 * the same whether an application imports or requires pino, and it needs no loader hooks.
 */
export class PinoInstrumentation extends InstrumentationBase {
  constructor() {
    super('siphon-otel/pino', '0.1.0', {});
  }

  protected override init(): InstrumentationModuleDefinition {
    const patch = (tools: PinoTools): PinoTools => {
      this['_wrap'](tools, 'createArgsNormalizer', withTraceIds);
      this['_wrap'](tools, 'asJson', observed);
      return tools;
    };
    const unpatch = (tools?: PinoTools): void => {
      for (const name of ['createArgsNormalizer', 'asJson'] as const)
        if (tools !== undefined) this['_unwrap'](tools, name);
    };
    const file = new InstrumentationNodeModuleFile('pino/lib/tools.js', SUPPORTED_PINO_VERSIONS, patch, unpatch);
    return new InstrumentationNodeModuleDefinition('pino', SUPPORTED_PINO_VERSIONS, undefined, undefined, [file]);
  }
}

const SUPPORTED_PINO_VERSIONS = ['>=5.14.0 <11'];

/** The exports of pino's file lib/tools.js that matter here. */
interface PinoTools {
  createArgsNormalizer: (defaults: unknown) => NormalizeArguments;
  asJson: WriteLine;
}

/** Turns the arguments of `pino()` into the options of a logger. */
type NormalizeArguments = (...args: readonly unknown[]) => { readonly opts: { mixin?: unknown } };

/** Makes the line of a message and its fields. Its logger is `this`. */
type WriteLine = (
  this: unknown,
  fields: Readonly<Record<string, unknown>>,
  message: unknown,
  ...rest: readonly [level: number, time: string]
) => string;

type Mixin = (...args: readonly unknown[]) => object;

function withTraceIds(create: PinoTools['createArgsNormalizer']): PinoTools['createArgsNormalizer'] {
  return (defaults) => {
    const normalize = create(defaults);
    return (...args) => {
      const normalized = normalize(...args);
      const { mixin } = normalized.opts;
      if (mixin === undefined) normalized.opts.mixin = traceIds;
      // Anything else that is not a function is a mistake, which pino reports.
      else if (typeof mixin === 'function') {
        normalized.opts.mixin = (...rest: readonly unknown[]) => ({ ...traceIds(), ...(mixin as Mixin)(...rest) });
      }
      return normalized;
    };
  };
}

function observed(write: WriteLine): WriteLine {
  return function writeAndTake(fields, message, ...rest) {
    const json = write.call(this, fields, message, ...rest);
    const [level] = rest;
    takeLine({
      json,
      message,
      level,
      error: errorIn(fields),
      messageField: settingOf(this, 'pino.messageKey'),
      nestedField: settingOf(this, 'pino.nestedKey'),
    });
    return json;
  };
}

/** The field with the error has a name that the service may choose. */
function errorIn(
  fields: Readonly<Record<string, unknown>>,
): { readonly field: string; readonly value: Error } | undefined {
  for (const field of Object.keys(fields)) {
    const value = fields[field];
    if (value instanceof Error) return { field, value };
  }
  return undefined;
}

/** The keys of pino's own settings, by their names. */
const symbols = new Map<string, symbol>();

/** A setting of the logger, which child loggers inherit. */
function settingOf(logger: unknown, name: string): string | undefined {
  const key = symbols.get(name) ?? symbolOf(logger as object, name);
  const value = key === undefined ? undefined : (logger as Readonly<Record<symbol, unknown>>)[key];
  return typeof value === 'string' ? value : undefined;
}

function symbolOf(logger: object, name: string): symbol | undefined {
  for (let owner: object | null = logger; owner !== null; owner = Object.getPrototypeOf(owner) as object | null) {
    const found = Object.getOwnPropertySymbols(owner).find(({ description }) => description === name);
    if (found === undefined) continue;
    symbols.set(name, found);
    return found;
  }
  return undefined;
}
