/**
 * Observes mysql2. Its tracing channels are not used: a subscriber makes errors disappear that a service without a callback
 * gets from the connection.
 */
import {
  InstrumentationBase,
  InstrumentationNodeModuleDefinition,
  InstrumentationNodeModuleFile,
  type InstrumentationModuleDefinition,
} from '@opentelemetry/instrumentation';
import { withoutLiterals } from '../../privacy/query-literals.ts';
import { sqlVerb } from '../sql-verb.ts';
import { startDatabaseCall } from './database-call.ts';

const VERSIONS = ['>=2.0.0'];

/** Patches a file inside the package, which it loads itself with `require`. */
export class MysqlInstrumentation extends InstrumentationBase {
  constructor() {
    super('siphon-otel/mysql2', '0.1.0', {});
  }

  protected override init(): InstrumentationModuleDefinition {
    // The first is the place since version 3.11.
    const files = ['mysql2/lib/base/connection.js', 'mysql2/lib/connection.js'].map((name) => {
      const patch = (connection: ConnectionClass): ConnectionClass => {
        if (Object.hasOwn(connection.prototype, 'addCommand')) {
          this['_wrap'](connection.prototype, 'addCommand', observedAddCommand);
        }
        return connection;
      };
      const unpatch = (connection?: ConnectionClass): void => {
        if (connection !== undefined) this['_unwrap'](connection.prototype, 'addCommand');
      };
      return new InstrumentationNodeModuleFile(name, VERSIONS, patch, unpatch);
    });
    return new InstrumentationNodeModuleDefinition('mysql2', VERSIONS, undefined, undefined, files);
  }
}

interface ConnectionClass {
  readonly prototype: { addCommand: AddCommand };
}

interface Connection {
  readonly config?: { readonly host?: string; readonly port?: number | string; readonly database?: string };
}

/** Queries and executions have these properties; others, such as the handshake, lack the text. */
interface Command {
  readonly sql?: unknown;
  onResult?: unknown;
  emit: (event: string, ...args: unknown[]) => unknown;
}

type AddCommand = (this: Connection, command: Command) => unknown;

function observedAddCommand(addCommand: AddCommand): AddCommand {
  return function addObservedCommand(command) {
    if (typeof command.sql === 'string') observe(this, command, command.sql);
    return addCommand.call(this, command);
  };
}

/** The client has put the values into the text. */
function observe({ config = {} }: Connection, command: Command, sql: string): void {
  const end = startDatabaseCall({
    system: 'mysql',
    operation: sqlVerb(sql),
    database: config.database === '' ? undefined : config.database,
    text: withoutLiterals(sql, 'mysql'),
    address: config.host,
    port: config.port,
  });
  const { onResult, emit } = command;
  if (typeof onResult === 'function') {
    command.onResult = function onObservedResult(this: unknown, error: unknown, ...rest: unknown[]) {
      end(error);
      return onResult.call(this, error, ...rest) as unknown;
    };
  }
  // With another listener, the connection would no longer get an error that the service does not listen to.
  command.emit = function emitObserved(event, ...args) {
    if (event === 'error') end(args[0]);
    if (event === 'end') end();
    return emit.call(this, event, ...args);
  };
}
