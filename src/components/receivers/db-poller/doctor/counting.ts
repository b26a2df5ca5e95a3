import type { Check } from './check.ts';

export const counting: Check = {
  about: 'what counting needs',
  async *find({ config, planned }) {
    if (config.storage !== undefined || planned.every(({ kind }) => kind === 'state')) return;
    yield {
      severity: 'warning',
      what: 'no storage is set: counters begin at 0 whenever the sidecar starts, and rows of the meantime are not counted',
      repair: 'Add the extension file_storage, and set storage: file_storage',
    };
  },
};
