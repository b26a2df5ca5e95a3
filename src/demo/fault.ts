import { isStoreFault, storeFaults } from './stores/store-fault.ts';

/** What can be made to go wrong while the demo runs. */
export const faults = [...storeFaults, 'hanging_transaction', 'database_stopped', 'sidecar_killed'] as const;

export type Fault = (typeof faults)[number];

export function isFault(name: string): name is Fault {
  return (faults as readonly string[]).includes(name);
}

export { isStoreFault };
