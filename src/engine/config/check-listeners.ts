import type { CollectorConfig } from '../collector-config.ts';
import { Endpoint, isEveryAddress } from '../schema/fields.ts';
import { componentsInUse } from './components-in-use.ts';
import type { ProblemList } from './config-error.ts';
import { formatPath, nearestNode, type ConfigNode, type ConfigPath } from './config-node.ts';
import { SECTION_OF } from './read-components.ts';

/** Checks that no two servers of the configuration listen on the same port of the same address. */
export function checkListeners(config: CollectorConfig, root: ConfigNode, problems: ProblemList): void {
  const listeners = listenersOf(config).filter(({ endpoint }) => endpoint.port !== 0);
  for (const [index, { path, endpoint }] of listeners.entries()) {
    const earlier = listeners.slice(0, index).find((other) => collide(other.endpoint, endpoint));
    if (earlier === undefined) continue;
    const message = `uses port ${endpoint.port}, which ${formatPath(earlier.path)} uses too: choose another port`;
    problems.add(nearestNode(root, path), path, message);
  }
}

interface Listener {
  readonly path: ConfigPath;
  readonly endpoint: Endpoint;
}

function listenersOf(config: CollectorConfig): Listener[] {
  const { metrics } = config.service.telemetry;
  const own = metrics && { path: ['service', 'telemetry', 'metrics'], endpoint: metrics.endpoint };
  const components = componentsInUse(config).flatMap(({ factory, id, config: keys }) =>
    endpointsIn(keys, [SECTION_OF[factory.kind], id]),
  );
  return own === undefined ? components : [...components, own];
}

function endpointsIn(value: unknown, path: ConfigPath): Listener[] {
  if (value instanceof Endpoint) return [{ path, endpoint: value }];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, child]) => endpointsIn(child, [...path, key]));
}

function collide(a: Endpoint, b: Endpoint): boolean {
  if (a.port !== b.port) return false;
  const hosts = [a.host, b.host];
  // The machine decides whether `localhost` is 127.0.0.1, ::1 or both.
  const areLocal = hosts.includes('localhost') && hosts.some((host) => host === '127.0.0.1' || host === '::1');
  return a.host === b.host || areLocal || hosts.some((host) => isEveryAddress(host));
}
