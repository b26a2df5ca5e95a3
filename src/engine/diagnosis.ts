import type { Signal } from './component.ts';

/** One thing that a component has found out about itself and its surroundings. */
export interface Finding {
  /** `error`: it cannot do its work, or part of it. `warning`: it can, but less well than it might, or not for ever. */
  readonly severity: Severity;
  /** One line in plain words, which never holds a secret. */
  readonly what: string;
  /** What to do about it, as a sentence or a statement. */
  readonly repair?: string;
}

export type Severity = 'ok' | 'warning' | 'error';

/** What a component is told that shall examine itself without being started. */
export interface DiagnosisSettings {
  /** The id in the configuration: `type` or `type/name`. */
  readonly id: string;
  /** The signals of the pipelines that it stands in. Empty for extensions. */
  readonly signals: ReadonlySet<Signal>;
  /** Aborts when nobody waits any longer. */
  readonly deadline: AbortSignal;
  /** Says what is being looked at, to whoever waits. */
  readonly progress: (what: string) => void;
}
