import { sidecarMetrics } from '../../../metrics/self.ts';
import type { ComponentMetrics } from '../../../engine/component.ts';
import type { StorageFailure } from '../../../engine/storage.ts';
import type { FileSpace } from './file-space.ts';

/** The metrics of the storage about itself. `file` is the name of a space's file. */
export class StorageMetrics {
  readonly #errors;
  readonly #setAside;

  constructor(metrics: ComponentMetrics, spaces: ReadonlyMap<string, FileSpace>) {
    this.#errors = metrics.counter(sidecarMetrics.siphon_file_storage_errors);
    this.#setAside = metrics.counter(sidecarMetrics.siphon_file_storage_set_aside_files);
    metrics.observe(sidecarMetrics.siphon_file_storage_size_bytes, (observe) => {
      for (const [file, space] of spaces) {
        const sizes = space.sizes();
        if (sizes !== undefined) observe(sizes.fileBytes, { file });
      }
    });
  }

  declare(file: string): void {
    this.#errors.startAtZero({ file });
    this.#setAside.startAtZero({ file });
  }

  failed(file: string, reason: StorageFailure): void {
    this.#errors.add(1, { file, reason });
  }

  setAside(file: string): void {
    this.#setAside.add(1, { file });
  }
}
