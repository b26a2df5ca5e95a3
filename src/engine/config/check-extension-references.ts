import { ExtensionReference } from '../schema/extension-reference.ts';
import { unknownReference, type PipelineContext } from './check-service.ts';
import { SECTION_OF } from './read-components.ts';
import { childOf, nearestNode, type ConfigPath } from './config-node.ts';

/** Checks that every extension that a component refers to has the right role and is part of the service. */
export function checkExtensionReferences(
  running: readonly string[],
  { root, components, problems }: PipelineContext,
): void {
  for (const section of Object.values(SECTION_OF)) {
    for (const [id, { config }] of components[section]) {
      for (const { path, to } of referencesIn(config, [section, id])) {
        // An extension with an invalid id or type was already reported.
        if (!components.extensions.has(to.id) && childOf(childOf(root, 'extensions'), to.id) !== undefined) continue;
        const problem = problemOf(to, running, components.extensions);
        if (problem !== undefined) problems.add(nearestNode(root, path), path, problem);
      }
    }
  }
}

/** The ids of the extensions that a parsed configuration refers to. */
export function extensionsIn(config: unknown): string[] {
  return referencesIn(config, []).map(({ to }) => to.id);
}

function problemOf(
  { id, role }: ExtensionReference,
  running: readonly string[],
  extensions: PipelineContext['components']['extensions'],
): string | undefined {
  const extension = extensions.get(id);
  if (extension === undefined) return unknownReference(id, 'extensions', [...extensions.keys()]);
  if (extension.factory.role !== role) return `refers to ${id}, which cannot be used as ${role}`;
  return running.includes(id) ? undefined : `refers to ${id}, which is not running: add it to service::extensions`;
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
