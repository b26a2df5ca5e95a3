import type { Component, Host } from '../../../src/engine/component.ts';

/** What a component may ask, with these extensions running under their ids. */
export function hostWith(extensions: Readonly<Record<string, Component>> = {}): Host {
  return { extension: (id) => extensions[id], status: () => 'ok' };
}
