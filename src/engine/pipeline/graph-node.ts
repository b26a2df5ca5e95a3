import type { ComponentKind, ComponentSettings, Consumer, Factory, Signal } from '../component.ts';
import type { Configured } from '../collector-config.ts';
import type { Outlet } from './outlet.ts';
import type { NamedComponent } from './stages.ts';

/** A component in a graph. A reload takes it over into the next graph if nothing about it changes. */
export interface GraphNode extends NamedComponent {
  /** The same for the same component of two configurations. */
  readonly key: string;
  readonly kind: ComponentKind;
  readonly id: string;
  readonly configured: Configured<Factory>;
  readonly settings: ComponentSettings;
  /** The set in the settings, which a reload changes if the factory allows it. */
  readonly signals: Set<Signal>;
  /** The consumer that the components before it feed. Undefined for receivers and extensions. */
  readonly inlet: Consumer | undefined;
  /** A processor has it in common with its instances in other pipelines. */
  readonly shared?: unknown;
  /** The consumer that it feeds. Not connected for exporters and extensions. */
  readonly outlet: Outlet;
  /** True if a second instance could not start while this one runs. */
  readonly isExclusive: boolean;
}

/** @param pipeline the id of the pipeline of a processor, which has one instance for each. */
export function keyOf(kind: ComponentKind, id: string, pipeline?: string): string {
  return JSON.stringify([kind, id, pipeline]);
}
