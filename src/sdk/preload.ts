/**
 * `siphon-otel/preload`: observes a service without a change to it. Works with `--import` and `-r`, because a module
 * without top-level await can be required. Whatever fails here is one line on stderr; the service runs.
 */
import { isMainThread } from 'node:worker_threads';
import { observe } from './service-observer.ts';

const STARTED = Symbol.for('siphon-otel.preload');
const registry = globalThis as { [STARTED]?: true };

// In NODE_OPTIONS it also reaches worker threads, pino's transports among them, which have nothing to tell.
if (isMainThread && registry[STARTED] !== true && process.env['OTEL_SDK_DISABLED']?.trim().toLowerCase() !== 'true') {
  registry[STARTED] = true;
  try {
    observe(process.env);
  } catch (error) {
    process.stderr.write(`siphon-otel/preload: this process is not observed: ${String(error)}\n`);
  }
}
