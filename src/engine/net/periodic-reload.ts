import type { Logger } from 'pino';
import { Incident } from '../incident.ts';

/** Reads certificates again at an interval until it is disposed. If that fails, the previous ones stay in use. */
export class PeriodicReload implements Disposable {
  readonly #timer: NodeJS.Timeout | undefined;

  /** @param intervalMs 0 for never. */
  constructor(intervalMs: number, reload: () => Promise<void>, logger: Logger) {
    if (intervalMs === 0) return;
    const incident = new Incident(logger, {
      failing: 'The certificate could not be reloaded; the previous one stays in use',
      recovered: 'The certificate was reloaded',
    });
    const attempt = async (): Promise<void> => {
      try {
        await reload();
        incident.succeeded();
      } catch (error) {
        incident.failed(error);
      }
    };
    this.#timer = setInterval(() => void attempt(), intervalMs).unref();
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}
