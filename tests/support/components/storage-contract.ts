import { expect, it } from 'vitest';
import { StorageError, type Storage } from '../../../src/engine/storage.ts';

export interface OpenStorage extends AsyncDisposable {
  readonly storage: Storage;
  close(): Promise<void>;
}

const owner = { kind: 'receiver', id: 'db_poller' } as const;

export function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** Tests that every implementation of `Storage` must pass. */
export function storageContract(open: () => Promise<OpenStorage>): void {
  it('returns what was written, and nothing for unknown keys', async () => {
    await using opened = await open();
    const space = await opened.storage.space(owner);
    const odd = ['', 'a', 'ä/€/\u0000/😀', 'k'.repeat(3000)];
    await space.write(new Map(odd.map((key, i) => [key, new Uint8Array([i, 0, 255])])));
    await space.write(new Map([['empty', new Uint8Array()]]));
    const found = await space.get([...odd, 'empty', 'absent']);
    expect([...found]).toEqual([
      ...odd.map((key, i) => [key, new Uint8Array([i, 0, 255])]),
      ['empty', new Uint8Array()],
    ]);
  });

  it('replaces and removes in one write', async () => {
    await using opened = await open();
    const space = await opened.storage.space(owner);
    await space.write(new Map([['a', bytes('1')], ['b', bytes('1')]])); // prettier-ignore
    await space.write(new Map([['a', undefined], ['b', bytes('2')], ['absent', undefined]])); // prettier-ignore
    expect([...(await space.get(['a', 'b']))]).toEqual([['b', bytes('2')]]);
  });

  it('forgets the keys with a prefix, and no others', async () => {
    await using opened = await open();
    const space = await opened.storage.space(owner);
    const keys = ['run', 'run/', 'run/1', 'run/\u{10FFFF}z', 'run0', 'ruo', 'ru'];
    await space.write(new Map(keys.map((key) => [key, bytes(key)])));
    await space.clear('run/');
    expect([...(await space.get(keys)).keys()]).toEqual(['run', 'run0', 'ruo', 'ru']);
    await space.clear('');
    expect([...(await space.get(keys))]).toEqual([]);
  });

  it('keeps copies: bytes that the caller changes afterwards are not changed in it', async () => {
    await using opened = await open();
    const space = await opened.storage.space(owner);
    const value = bytes('before');
    await space.write(new Map([['a', value]]));
    value.fill(0);
    (await space.get(['a'])).get('a')?.fill(0);
    expect((await space.get(['a'])).get('a')).toEqual(bytes('before'));
  });

  it('has one space for each owner and name, and returns the same space again', async () => {
    await using opened = await open();
    const owners = [
      owner,
      { ...owner, name: 'prices' },
      { ...owner, id: 'db_poller/prices' },
      { ...owner, id: 'db_poller.prices' },
      { ...owner, kind: 'exporter' as const },
      { ...owner, id: `${'x'.repeat(300)}1` },
      { ...owner, id: `${'x'.repeat(300)}2` },
    ];
    for (const [i, one] of owners.entries())
      await (await opened.storage.space(one)).write(new Map([['who', bytes(String(i))]]));
    for (const [i, one] of owners.entries())
      expect((await (await opened.storage.space(one)).get(['who'])).get('who')).toEqual(bytes(String(i)));
  });

  it('refuses everything once it is closed', async () => {
    await using opened = await open();
    const space = await opened.storage.space(owner);
    await opened.close();
    const closed = { name: StorageError.name, reason: 'closed' };
    await expect(space.get(['a'])).rejects.toMatchObject(closed);
    await expect(space.write(new Map())).rejects.toMatchObject(closed);
    await expect(space.clear('')).rejects.toMatchObject(closed);
  });
}
