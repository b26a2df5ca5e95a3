/** Observes the commands that the driver of MongoDB sends. Only their names and collections are read. */
import {
  InstrumentationBase,
  InstrumentationNodeModuleDefinition,
  InstrumentationNodeModuleFile,
  type InstrumentationModuleDefinition,
} from '@opentelemetry/instrumentation';
import { startDatabaseCall, type EndCall } from './database-call.ts';

const VERSIONS = ['>=6.4.0'];

/** Since version 6.4, a command is a promise. The file is loaded by the driver itself, with `require`. */
export class MongodbInstrumentation extends InstrumentationBase {
  constructor() {
    super('siphon-otel/mongodb', '0.1.0', {});
  }

  protected override init(): InstrumentationModuleDefinition {
    const patch = (exports: ConnectionFile): ConnectionFile => {
      this['_wrap'](exports.Connection.prototype, 'command', observedCommand);
      return exports;
    };
    const unpatch = (exports?: ConnectionFile): void => {
      if (exports !== undefined) this['_unwrap'](exports.Connection.prototype, 'command');
    };
    const file = new InstrumentationNodeModuleFile('mongodb/lib/cmap/connection.js', VERSIONS, patch, unpatch);
    return new InstrumentationNodeModuleDefinition('mongodb', VERSIONS, undefined, undefined, [file]);
  }
}

interface ConnectionFile {
  readonly Connection: { readonly prototype: { command: Command } };
}

interface Connection {
  /** Host and port. */
  readonly address?: string;
}

interface Namespace {
  readonly db?: string;
  readonly collection?: string;
}

type Command = (this: Connection, namespace: Namespace, command: object, ...rest: unknown[]) => Promise<unknown>;

/** The driver sends these on its own. */
const OWN = new Set([
  'hello',
  'ismaster',
  'isMaster',
  'ping',
  'saslStart',
  'saslContinue',
  'authenticate',
  'endSessions',
]);

function observedCommand(send: Command): Command {
  return function sendObserved(namespace, command, ...rest) {
    const [operation] = Object.keys(command);
    const result = (): Promise<unknown> => send.call(this, namespace, command, ...rest);
    if (operation === undefined || OWN.has(operation)) return result();
    const [, address, port] = /^(.*):(\d+)$/.exec(this.address ?? '') ?? [];
    const end = startDatabaseCall({
      system: 'mongodb',
      operation,
      database: namespace.db,
      collection: namespace.collection === '' || namespace.collection === '$cmd' ? undefined : namespace.collection,
      address,
      port,
    });
    return endWhenSettled(result(), end);
  };
}

/** The promise of the driver. A handler on another one would hide a rejection that nothing else handles. */
async function endWhenSettled(sent: Promise<unknown>, end: EndCall): Promise<unknown> {
  try {
    const answer = await sent;
    end();
    return answer;
  } catch (error) {
    end(error);
    throw error;
  }
}
