import type { Meter } from '@opentelemetry/api';

/** A gauge that is absent while nobody knows its value. */
export class KnownGauge {
  readonly #values = new Map<string, { readonly value: number; readonly labels: Record<string, string> }>();

  constructor(meter: Meter, name: string, description: string) {
    meter.createObservableGauge(name, { description }).addCallback((result) => {
      for (const { value, labels } of this.#values.values()) result.observe(value, labels);
    });
  }

  set(value: number | undefined, labels: Record<string, string>): void {
    const key = JSON.stringify(labels);
    if (value === undefined) this.#values.delete(key);
    else this.#values.set(key, { value, labels });
  }
}
