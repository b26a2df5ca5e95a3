/**
 * `siphon-otel/preload`: observes a service without changing it. It works with `--import` and `-r`, because a module
 * without top-level await can be required. A failure is one line on stderr, and the service runs.
 */
import { isMainThread } from 'node:worker_threads';
import { observe } from './service-observer.ts';

const STARTED = Symbol.for('siphon-otel.preload');
const registry = globalThis as { [STARTED]?: true };

// NODE_OPTIONS also apply to worker threads, for example pino transports, which are not observed.
if (isMainThread && registry[STARTED] !== true && process.env['OTEL_SDK_DISABLED']?.trim().toLowerCase() !== 'true') {
  registry[STARTED] = true;
  try {
    observe(process.env);
  } catch (error) {
    process.stderr.write(`siphon-otel/preload: this process is not observed: ${String(error)}\n`);
  }
}
