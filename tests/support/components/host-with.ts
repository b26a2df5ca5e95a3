import type { ExtensionRole, ExtensionRoles, Host } from '../../../src/engine/component.ts';
import { Handover } from '../../../src/engine/handover.ts';
import { QueryApis } from '../../../src/engine/query-apis.ts';

/** A running host with these extensions under their ids. */
export function hostWith(extensions: Readonly<Record<string, unknown>> = {}): Host {
  return {
    extension: <Role extends ExtensionRole>({ id }: { id: string; role: Role }) => {
      const extension = extensions[id];
      if (extension === undefined) throw new Error(`${id} is not running`);
      return extension as ExtensionRoles[Role];
    },
    status: () => 'ok',
    reportRefusing: () => undefined,
    reportDegraded: () => undefined,
    degraded: () => [],
    handover: new Handover(),
    queryApis: new QueryApis(),
    ownSamples: undefined,
    running: () => ({ extensions: [], pipelines: [] }),
    configuration: () => undefined,
    watch: () => undefined,
  };
}
