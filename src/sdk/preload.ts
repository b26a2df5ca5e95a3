/**
 * `siphon-otel/preload`: observes a service without changing it, with `--import` and with `-r`. A failure is one line on
 * stderr, and the service runs. The SDK is a bundle next to this file, loaded only where it is used:
 * docs/decisions/0007-bundle-the-command.md.
 */
import { createRequire } from 'node:module';
import path from 'node:path';
import { isMainThread } from 'node:worker_threads';
import { endWithParent } from './end-with-parent.ts';
import { assertSupportedNode } from './supported-node.ts';

const STARTED = Symbol.for('siphon-otel.preload');
const registry = globalThis as { [STARTED]?: true };

/** NODE_OPTIONS also apply to the package manager that starts the service. */
const PACKAGE_MANAGER = /^(?:npm|npx|pnpm|pnpx|yarn|yarnpkg|corepack)(?:-cli)?(?:-\d[\w.-]*)?(?:\.[cm]?js)?$/;

const isDisabled =
  process.env['OTEL_SDK_DISABLED']?.trim().toLowerCase() === 'true' ||
  PACKAGE_MANAGER.test(path.basename(process.argv[1] ?? ''));

/** NODE_OPTIONS also apply to worker threads, for example pino transports. */
const isObserved = isMainThread || process.env['SIPHON_OBSERVE_WORKERS']?.trim().toLowerCase() === 'true';

endWithParent(process.env['SIPHON_DEV_PID']);

if (isObserved && registry[STARTED] !== true && !isDisabled) {
  registry[STARTED] = true;
  try {
    assertSupportedNode(process.versions.node);
    const require = createRequire(import.meta.url);
    const { observe } = require('./service-observer.cjs') as typeof import('./service-observer.ts');
    observe(process.env);
  } catch (error) {
    process.stderr.write(`siphon-otel/preload: this process is not observed: ${String(error)}\n`);
  }
}
