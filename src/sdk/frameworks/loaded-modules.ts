/** Patches the classes of ES modules without changing how modules are loaded. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { registerHooks } from 'node:module';
import { diag } from '@opentelemetry/api';
import { InstrumentationBase } from '@opentelemetry/instrumentation';

type Exports = Readonly<Record<string, unknown>>;

/** Gets the exports of each module whose URL contains the key. */
export type Patches = Readonly<Record<string, (exports: Exports) => void>>;

/** A server publishes this before it gets its first request. */
const LISTENING = 'tracing:net.server.listen:asyncEnd';

/**
 * Only watches which modules are resolved. It imports those modules again, and so gets the same exports, when the service
 * begins to listen: they have been evaluated then, in the order that the service wants.
 */
export abstract class LoadedModulesInstrumentation extends InstrumentationBase {
  // The constructor of the base class calls `enable` before fields are initialized.
  declare private stop?: () => void;

  constructor(name: string) {
    super(`siphon-otel/${name}`, '0.1.0', {});
  }

  protected abstract patches(): Patches;

  protected override init(): void {
    return;
  }

  override enable(): void {
    this.stop ??= watch(this.patches());
  }

  override disable(): void {
    this.stop?.();
    delete this.stop;
  }
}

function watch(patches: Patches): () => void {
  const resolved = new Map<string, (exports: Exports) => void>();
  const hooks = registerHooks({
    resolve(specifier, context, nextResolve) {
      const result = nextResolve(specifier, context);
      const key = Object.keys(patches).find((part) => result.url.includes(part));
      if (key !== undefined) resolved.set(result.url, patches[key]!);
      return result;
    },
  });
  const onListening = (): void => {
    for (const [url, patch] of resolved) {
      import(url).then(patch).catch((error: unknown) => diag.warn('siphon: a module cannot be patched', error));
    }
    resolved.clear();
  };
  subscribe(LISTENING, onListening);
  return () => {
    hooks.deregister();
    unsubscribe(LISTENING, onListening);
  };
}
