import * as v from 'valibot';
import type { Factory, Signal } from '../../../src/engine/component.ts';
import type { Finding } from '../../../src/engine/component.ts';

/** Returns what `diagnose` of the factory finds for this configuration. */
export async function findingsOf(
  factory: Factory,
  config: unknown,
  signals: readonly Signal[] = factory.signals,
): Promise<Finding[]> {
  const settings = {
    id: factory.type,
    signals: new Set(signals),
    deadline: new AbortController().signal,
    progress: () => undefined,
  };
  return await collected(factory.diagnose?.(settings, await v.parseAsync(factory.config, config)) ?? []);
}

export async function collected(findings: AsyncIterable<Finding> | readonly Finding[]): Promise<Finding[]> {
  const all: Finding[] = [];
  for await (const finding of findings) all.push(finding);
  return all;
}
