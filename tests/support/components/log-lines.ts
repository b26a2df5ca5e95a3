import { pino, type Logger } from 'pino';
import { errorFields } from '../../../src/engine/telemetry/error-fields.ts';

/** A real logger that collects its lines. */
export function logLines(): { readonly logger: Logger; readonly lines: Record<string, unknown>[] } {
  const lines: Record<string, unknown>[] = [];
  const write = (line: string): void => void lines.push(JSON.parse(line) as Record<string, unknown>);
  const serializers = { err: (error: unknown) => errorFields(error, { withStacks: false }) };
  return { logger: pino({ level: 'debug', serializers }, { write }), lines };
}
