/** Writes a line with each logger, outside of spans and within one; a second line has an id of its own. */
import bunyan from 'bunyan';
import pino from 'pino';
import { createLogger, format, transports } from 'winston';
import { trace } from '@opentelemetry/api';

const loggers = {
  bunyan: bunyan.createLogger({ name: 'shop' }),
  pino: pino(pino.destination({ sync: true })),
  winston: createLogger({
    format: format.json(),
    transports: [new transports.Stream({ stream: process.stdout })],
  }),
};

function write() {
  for (const [name, logger] of Object.entries(loggers)) {
    logger.info({ logger: name, message: 'a line' });
    const child = logger.child({ logger: name });
    child.warn({ message: 'a line of a child', trace_id: 'own' });
  }
  const { console: output } = globalThis;
  output.log('a text of %s', 'console');
  output.log(JSON.stringify({ logger: 'console' }));
}

write();
trace.getTracer('test').startActiveSpan('caller', (span) => {
  write();
  const { traceId, spanId } = span.spanContext();
  process.stderr.write(JSON.stringify([traceId, spanId]));
  span.end();
});
