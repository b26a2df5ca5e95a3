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
/** A client publishes this when it connects. */
const CONNECTING = 'net.client.socket';

/** When the modules are imported again. `resolved` is for modules that import no others, so that no order can change. */
export type Moment = 'listening' | 'connecting' | 'resolved';

const USES: Readonly<Record<Moment, readonly string[]>> = {
  listening: [LISTENING],
  connecting: [LISTENING, CONNECTING],
  resolved: [],
};

/**
 * Only watches which modules are resolved. It imports those modules again, and so gets the same exports, when the service
 * begins to use them: they have been evaluated then, in the order that the service wants.
 */
export abstract class LoadedModulesInstrumentation extends InstrumentationBase {
  declare private stop?: () => void;
  readonly #moment: Moment;

  constructor(name: string, moment: Moment = 'listening') {
    // The SDK enables it; the constructor of the base class would do so before the fields are set.
    super(`siphon-otel/${name}`, '0.1.0', { enabled: false });
    this.#moment = moment;
  }

  protected abstract patches(): Patches;

  protected override init(): void {
    return;
  }

  override enable(): void {
    this.stop ??= watch(this.patches(), this.#moment);
  }

  override disable(): void {
    this.stop?.();
    delete this.stop;
  }
}

function watch(patches: Patches, moment: Moment): () => void {
  const seen = new Set<string>();
  const resolved = new Map<string, (exports: Exports) => void>();
  const hooks = registerHooks({
    resolve(specifier, context, nextResolve) {
      const result = nextResolve(specifier, context);
      const key = Object.keys(patches).find((part) => result.url.includes(part));
      if (key === undefined || seen.has(result.url)) return result;
      seen.add(result.url);
      resolved.set(result.url, patches[key]!);
      if (moment === 'resolved') queueMicrotask(onUse);
      return result;
    },
  });
  const onUse = (): void => {
    for (const [url, patch] of resolved) {
      import(url).then(patch).catch((error: unknown) => diag.warn('siphon: a module cannot be patched', error));
    }
    resolved.clear();
  };
  for (const use of USES[moment]) subscribe(use, onUse);
  return () => {
    hooks.deregister();
    for (const use of USES[moment]) unsubscribe(use, onUse);
  };
}
