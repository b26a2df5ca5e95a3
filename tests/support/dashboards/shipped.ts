import { packs } from '../../../src/packs/index.ts';
import { loadPacks } from '../../../src/packs/load.ts';

/** The dashboards and alerts of the packs that siphon ships. */
export const shipped = await loadPacks(packs);
