import type { Factory } from '../component.ts';
import type { CollectorConfig, Configured } from '../collector-config.ts';
import { componentsInUse } from './components-in-use.ts';
import { SECTION_OF } from './read-components.ts';

/** The configuration with the settings that a component takes from what the others are about. */
export function completed(config: CollectorConfig): CollectorConfig {
  const subjects = new Set(
    componentsInUse(config).flatMap(({ factory, config: settings }) => factory.subjects?.(settings) ?? []),
  );
  const sections = Object.values(SECTION_OF).map((section) => {
    const components = [...config[section].values()].map((component) => complete(component, subjects));
    return [section, new Map(components.map((component) => [component.id, component]))];
  });
  return { ...config, ...(Object.fromEntries(sections) as Partial<CollectorConfig>) };
}

function complete(component: Configured<Factory>, subjects: ReadonlySet<string>): Configured<Factory> {
  const { factory, config } = component;
  const completion = factory.complete?.(config, subjects);
  if (completion === undefined) return component;
  return { ...component, config: { ...(config as object), ...(completion as object) }, completion };
}
