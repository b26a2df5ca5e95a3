import type { Meter } from '@opentelemetry/api';
import { storageFailures, type StorageFailure } from '../../../engine/storage.ts';
import type { FileSpace } from './file-space.ts';

/** What the storage says about itself. `file` is the name of a space's file. */
export class StorageMetrics {
  readonly #errors;
  readonly #setAside;

  constructor(meter: Meter, spaces: ReadonlyMap<string, FileSpace>) {
    this.#errors = meter.createCounter('siphon_file_storage_errors', {
      description: 'Times that a space could not be opened, read or written, by reason',
    });
    this.#setAside = meter.createCounter('siphon_file_storage_set_aside_files', {
      description: 'Corrupt files that made room for a fresh one',
    });
    meter
      .createObservableGauge('siphon_file_storage_size_bytes', { description: 'Size of the file of a space' })
      .addCallback((result) => {
        for (const [file, space] of spaces) {
          const sizes = space.sizes();
          if (sizes !== undefined) result.observe(sizes.fileBytes, { file });
        }
      });
  }

  /** Counters are there with 0 from the start, so that a rate sees the first failure. */
  declare(file: string): void {
    for (const reason of storageFailures) this.#errors.add(0, { file, reason });
    this.#setAside.add(0, { file });
  }

  failed(file: string, reason: StorageFailure): void {
    this.#errors.add(1, { file, reason });
  }

  setAside(file: string): void {
    this.#setAside.add(1, { file });
  }
}
