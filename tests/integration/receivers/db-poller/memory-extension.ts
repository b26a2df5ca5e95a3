import type { Component } from '../../../../src/engine/component.ts';
import { MemoryStorage } from '../../../../src/engine/memory-storage.ts';

/** A storage that outlives the pollers that use it. */
export class MemoryExtension extends MemoryStorage implements Component {
  async start(): Promise<void> {
    return Promise.resolve();
  }

  async shutdown(): Promise<void> {
    return Promise.resolve();
  }
}
