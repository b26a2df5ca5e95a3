/** A fault of the demo, and what it must lead to. */
import type { DashboardUid } from '../../../src/dashboards/model/panel.ts';
import type { Fault as DemoFault } from '../../../examples/coffee/fault.ts';
import type { StoreFault } from '../../../examples/coffee/stores/store.ts';
import type { FaultEnvironment, Shop } from './fault-environment.ts';

export interface ExpectedAlert {
  readonly alert: string;
  readonly roaster?: string;
}

export interface Fault {
  readonly name: string;
  readonly provoke: (world: FaultEnvironment) => Promise<unknown>;
  readonly end: (world: FaultEnvironment) => Promise<unknown>;
  readonly alerts: readonly ExpectedAlert[];
  /** Alerts that may come with it, because what they are about is wrong then too. */
  readonly follow?: readonly string[];
  /** Panels that must show data that they did not show before. */
  readonly panels?: readonly (readonly [dashboard: DashboardUid, title: string])[];
  /** Alerts that Prometheus raises meanwhile, and Alertmanager keeps back. */
  readonly keptBack?: readonly ExpectedAlert[];
}

/** The faults of a round are provoked together, because they do not affect each other. */
export interface Round {
  readonly name: string;
  readonly faults: readonly Fault[];
}

export type Switch = Pick<Fault, 'provoke' | 'end'>;

export function shopFault(shop: Shop, fault: StoreFault): Switch {
  return {
    provoke: async (world) => world.shop(shop).setFault(fault, true),
    end: async (world) => world.shop(shop).setFault(fault, false),
  };
}

export function demoFault(fault: DemoFault): Switch {
  return {
    provoke: async ({ watched }) => await watched.demo.setFault(fault, true),
    end: async ({ watched }) => await watched.demo.setFault(fault, false),
  };
}
