import { describe } from 'vitest';
import { MemoryStorage } from './memory-storage.ts';
import { promisesOfAStorage } from '../../tests/support/storage-contract.ts';

describe('the storage in memory', () => {
  promisesOfAStorage(async () => {
    const storage = new MemoryStorage();
    return { storage, close: async () => storage.close(), [Symbol.asyncDispose]: async () => storage.close() };
  });
});
