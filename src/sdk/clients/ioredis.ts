/**
 * Observes ioredis. Its tracing channels are not used: with a subscriber, the failure of a command that nothing handles no
 * longer ends the process.
 */
import {
  InstrumentationBase,
  InstrumentationNodeModuleDefinition,
  InstrumentationNodeModuleFile,
  type InstrumentationModuleDefinition,
} from '@opentelemetry/instrumentation';
import { startRedisCommand } from './redis.ts';

const VERSIONS = ['>=5.0.0'];

/** Patches a file inside the package, which it loads itself with `require`. */
export class IoredisInstrumentation extends InstrumentationBase {
  constructor() {
    super('siphon-otel/ioredis', '0.1.0', {});
  }

  protected override init(): InstrumentationModuleDefinition {
    const patch = (exports: RedisFile): RedisFile => {
      this['_wrap'](exports.default.prototype, 'sendCommand', observedSendCommand);
      return exports;
    };
    const unpatch = (exports?: RedisFile): void => {
      if (exports !== undefined) this['_unwrap'](exports.default.prototype, 'sendCommand');
    };
    const file = new InstrumentationNodeModuleFile('ioredis/built/Redis.js', VERSIONS, patch, unpatch);
    return new InstrumentationNodeModuleDefinition('ioredis', VERSIONS, undefined, undefined, [file]);
  }
}

interface RedisFile {
  readonly default: { readonly prototype: { sendCommand: SendCommand } };
}

interface Redis {
  readonly options?: { readonly host?: string; readonly port?: number; readonly db?: number };
}

interface Command {
  readonly name: string;
  resolve: (value: unknown) => unknown;
  reject: (error: unknown) => unknown;
}

type SendCommand = (this: Redis, command: Command, ...rest: unknown[]) => unknown;

const observed = new WeakSet<Command>();

/** A command passes again after it has waited for the connection. */
function observedSendCommand(sendCommand: SendCommand): SendCommand {
  return function sendObservedCommand(command, ...rest) {
    if (!observed.has(command)) observe(this, command);
    return sendCommand.call(this, command, ...rest);
  };
}

/** The promise of the command stays as it is, so that its rejection is handled by whom it was. */
function observe({ options = {} }: Redis, command: Command): void {
  observed.add(command);
  const end = startRedisCommand({
    command: command.name,
    ...(options.db !== undefined && { database: options.db }),
    ...(options.host !== undefined && { serverAddress: options.host }),
    ...(options.port !== undefined && { serverPort: options.port }),
  });
  if (end === undefined) return;
  const { resolve, reject } = command;
  command.resolve = (value) => {
    end();
    return resolve(value);
  };
  command.reject = (error) => {
    end(error);
    return reject(error);
  };
}
