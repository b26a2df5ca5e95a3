/** Reports the routes and the errors of Hono. */
import { recordFailure, setRoute } from '../http/server-requests.ts';
import { LoadedModulesInstrumentation, type Patches } from './loaded-modules.ts';

export class HonoInstrumentation extends LoadedModulesInstrumentation {
  constructor() {
    super('hono');
  }

  protected override patches(): Patches {
    return patches;
  }
}

/** Hono passes its handlers to the router that suits them when it matches its first request. */
const patches: Patches = Object.fromEntries(
  ['RegExpRouter', 'TrieRouter', 'LinearRouter'].map((name) => [
    `/router/${name.replaceAll(/(?!^)[A-Z]/g, '-$&').toLowerCase()}/router.`,
    (exports): void => patchRouter(exports[name] as RouterClass | undefined),
  ]),
);

interface RouterClass {
  readonly prototype: { add: Add };
}

type Add = (method: string, path: string, entry: readonly [Handler, Route]) => unknown;
type Handler = (this: unknown, ...args: unknown[]) => unknown;

interface Route {
  /** With the paths of the applications that contain it. */
  readonly path: string;
  /** `ALL` for middleware too. */
  readonly method: string;
}

function patchRouter(router: RouterClass | undefined): void {
  if (router === undefined) return;
  const { add } = router.prototype;
  router.prototype.add = function addObserved(method, path, entry) {
    const [handler, route] = entry;
    const observed = typeof handler === 'function' ? ([observe(handler, route), route] as const) : entry;
    return add.call(this, method, path, observed);
  };
}

function observe(handler: Handler, { method, path }: Route): Handler {
  const endsRoute = method !== 'ALL' || !path.includes('*');
  return function observedHandler(this: unknown, ...args) {
    if (endsRoute) setRoute(path);
    try {
      const result = handler.apply(this, args);
      if (result instanceof Promise) result.catch(recordFailure);
      return result;
    } catch (error) {
      recordFailure(error);
      throw error;
    }
  };
}
