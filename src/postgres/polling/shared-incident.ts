import { Incident } from '../../engine/incident.ts';

/** One incident that several queries share: it lasts from the first failure to the last recovery. */
export class SharedIncident {
  readonly #incident: Incident;
  readonly #affected = new Set<string>();

  constructor(...settings: ConstructorParameters<typeof Incident>) {
    this.#incident = new Incident(...settings);
  }

  failed(who: string, err: unknown): void {
    this.#affected.add(who);
    this.#incident.failed(err);
  }

  succeeded(who: string): void {
    if (this.#affected.delete(who) && this.#affected.size === 0) this.#incident.succeeded();
  }
}
