import { ExtensionReference } from '../schema/extension-reference.ts';
import { unknownReference, type PipelineContext } from './check-service.ts';
import { SECTION_OF } from './read-components.ts';
import { childOf, nearestNode, type ConfigPath } from './config-node.ts';

/** Whether each extension that another component names is one of the kind it needs, and is run by the service. */
export function checkExtensionReferences(
  running: readonly string[],
  { root, components, problems }: PipelineContext,
): void {
  for (const section of Object.values(SECTION_OF)) {
    for (const [id, { config }] of components[section]) {
      for (const { path, to } of referencesIn(config, [section, id])) {
        // What is written and yet not known was reported where it stands.
        if (!components.extensions.has(to.id) && childOf(childOf(root, 'extensions'), to.id) !== undefined) continue;
        const problem = problemOf(to, running, components.extensions);
        if (problem !== undefined) problems.add(nearestNode(root, path).place, path, problem);
      }
    }
  }
}

function problemOf(
  { id, role }: ExtensionReference,
  running: readonly string[],
  extensions: PipelineContext['components']['extensions'],
): string | undefined {
  const extension = extensions.get(id);
  if (extension === undefined) return unknownReference(id, 'extensions', [...extensions.keys()]);
  if (extension.factory.role !== role) return `refers to ${id}, which is no ${role}`;
  return running.includes(id) ? undefined : `refers to ${id}, which does not run: list it in service::extensions`;
}

interface Reference {
  readonly path: ConfigPath;
  readonly to: ExtensionReference;
}

function referencesIn(value: unknown, path: ConfigPath): Reference[] {
  if (value instanceof ExtensionReference) return [{ path, to: value }];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, child]) => referencesIn(child, [...path, key]));
}
