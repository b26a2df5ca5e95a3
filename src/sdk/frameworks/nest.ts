/** Reports the errors that Nest turns into answers. The routes are those of Express or Fastify below it. */
import { recordFailure } from '../http/server-requests.ts';
import { LoadedModulesInstrumentation, type Patches } from './loaded-modules.ts';

export class NestInstrumentation extends LoadedModulesInstrumentation {
  constructor() {
    super('nestjs-core');
  }

  protected override patches(): Patches {
    return patches;
  }
}

const patches: Patches = {
  '/@nestjs/core/exceptions/exceptions-handler.': ({ ExceptionsHandler: handler }) =>
    patchHandler(handler as HandlerClass),
};

interface HandlerClass {
  readonly prototype: { next: Next };
}

type Next = (exception: unknown, host: ArgumentsHost) => unknown;

interface ArgumentsHost {
  getType(): string;
  getArgByIndex(index: number): { readonly raw?: object };
}

function patchHandler(handler: HandlerClass): void {
  const { next } = handler.prototype;
  handler.prototype.next = function nextObserved(exception, host) {
    if (host.getType() === 'http') {
      const request = host.getArgByIndex(0);
      recordFailure(exception, request.raw ?? request);
    }
    return next.call(this, exception, host);
  };
}
