import type { Logger } from 'pino';
import { Incident } from '../../../engine/incident.ts';
import { PermanentError } from '../../../engine/errors.ts';
import type { Category } from './envelope.ts';

/** True for an envelope that Sentry refused, or would refuse, because the project sends too much. */
export function isRateLimit(error: unknown): boolean {
  return error instanceof PermanentError && (error.code === 'rate_limited' || error.code === 'ratelimit_backoff');
}

/** Logs once for each category that Sentry limits it, and once that it accepts it again. */
export class RateLimitIncidents {
  readonly #logger: Logger;
  readonly #incidents = new Map<Category, Incident>();

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  limited(category: Category, error: unknown): void {
    const known = this.#incidents.get(category);
    const incident =
      known ??
      new Incident(this.#logger.child({ category }), {
        failing: 'Sentry limits the rate of a category, which is dropped',
        recovered: 'Sentry accepts the category again',
      });
    this.#incidents.set(category, incident);
    incident.failed(error);
  }

  accepted(category: Category): void {
    this.#incidents.get(category)?.succeeded();
  }
}

/** An incident of the path to Sentry. A limited rate does not belong to it. */
export class PathIncident extends Incident {
  override failed(error: unknown): void {
    if (!isRateLimit(error)) super.failed(error);
  }
}
