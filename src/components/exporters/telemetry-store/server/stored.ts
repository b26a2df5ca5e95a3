import type { ExemplarMemory } from '../memory/exemplar-memory.ts';
import type { TelemetryMemory } from '../memory/telemetry-memory.ts';

/** The content of the store. */
export interface Stored {
  readonly memory: TelemetryMemory;
  readonly exemplars: ExemplarMemory;
}
