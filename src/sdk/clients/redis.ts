/** Observes node-redis, which publishes its commands. Keys and values of commands are not read. */
import type { Instrumentation } from '@opentelemetry/instrumentation';
import { startDatabaseCall, type EndCall } from './database-call.ts';
import { ChannelInstrumentation } from './tracing-channels.ts';

/** node-redis 5.12 and later. */
export function createRedis(): Instrumentation {
  return new ChannelInstrumentation('redis', {
    'node-redis:command': (message) => startRedisCommand(message as RedisCommand),
  });
}

export interface RedisCommand {
  readonly command: string;
  readonly database?: number;
  readonly serverAddress?: string;
  readonly serverPort?: number;
}

/** They wait until something arrives, so their duration shows nothing about Redis; or the clients send them on their own. */
const NOT_OBSERVED = /^(?:B[LRZ]\w+|[PS]?SUBSCRIBE|MONITOR|WAIT(?:AOF)?|HELLO|AUTH|CLIENT|INFO|SELECT|QUIT)$/;

/** Undefined if it is not observed. */
export function startRedisCommand({ command, database, serverAddress, serverPort }: RedisCommand): EndCall | undefined {
  const operation = command.toUpperCase();
  if (NOT_OBSERVED.test(operation)) return undefined;
  return startDatabaseCall({
    system: 'redis',
    operation,
    database: database === undefined ? undefined : String(database),
    address: serverAddress,
    port: serverPort,
    needsParent: true,
  });
}
