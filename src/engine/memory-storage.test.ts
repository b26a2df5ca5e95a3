import { describe } from 'vitest';
import { MemoryStorage } from './memory-storage.ts';
import { storageContract } from '../../tests/support/components/storage-contract.ts';

describe('the storage in memory', () => {
  storageContract(async () => {
    const storage = new MemoryStorage();
    return { storage, close: async () => storage.close(), [Symbol.asyncDispose]: async () => storage.close() };
  });
});
