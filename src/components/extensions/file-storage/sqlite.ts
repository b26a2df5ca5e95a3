import type { StorageFailure } from '../../../engine/storage.ts';

type Sqlite = typeof import('node:sqlite');

/** The module, loaded when it is first needed. Suppresses Node 22's warning that it is experimental: users cannot act on it. */
export function sqlite(): Sqlite {
  const emitWarning = Object.getOwnPropertyDescriptor(process, 'emitWarning');
  process.emitWarning = () => undefined;
  try {
    return process.getBuiltinModule('node:sqlite');
  } finally {
    if (emitWarning) Object.defineProperty(process, 'emitWarning', emitWarning);
  }
}

/** The storage failures of SQLite's primary result codes. https://www.sqlite.org/rescode.html */
const byResultCode: Readonly<Record<number, StorageFailure>> = {
  3: 'unwritable', // SQLITE_PERM
  5: 'locked', // SQLITE_BUSY
  8: 'unwritable', // SQLITE_READONLY
  11: 'corrupt', // SQLITE_CORRUPT
  13: 'full', // SQLITE_FULL
  14: 'unwritable', // SQLITE_CANTOPEN
  26: 'corrupt', // SQLITE_NOTADB
};

const bySystemError: Readonly<Record<string, StorageFailure>> = {
  EACCES: 'unwritable',
  EDQUOT: 'full',
  EISDIR: 'unwritable',
  ENOENT: 'unwritable',
  ENOSPC: 'full',
  EPERM: 'unwritable',
  EROFS: 'unwritable',
};

export function failureOf(error: unknown): StorageFailure {
  const { errcode = 0, code = '' } = error as { errcode?: number; code?: string };
  // The lowest byte of an extended code is the primary code.
  return byResultCode[errcode & 0xff] ?? bySystemError[code] ?? 'other';
}
