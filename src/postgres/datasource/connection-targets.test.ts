import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Secret } from '../../engine/schema/secret.ts';
import { connectionTargets } from './connection-targets.ts';

/** The parts of each URL, as node-pg reads them. */
async function read(datasource: string, environment: Record<string, string> = {}): Promise<unknown[]> {
  const { urls } = await connectionTargets(new Secret(datasource), environment);
  return urls.map((connectionString) => {
    const { host, port, user, database, password } = new Client({ connectionString });
    return [user, password, host, port, database];
  });
}

it.each([
  ['postgres://u:p@w@db/shop', [['u', 'p@w', 'db', 5432, 'shop']]],
  ['postgres://u%40x:p%23%2F%25+a@db:5433/my%20shop', [['u@x', 'p#/%+a', 'db', 5433, 'my shop']]],
  ['postgresql://u:p@one,two:5433/shop', [['u', 'p', 'one', 5432, 'shop'], ['u', 'p', 'two', 5433, 'shop']]], // prettier-ignore
  ['postgresql://u:p@[::1]:5433,[fe80::1]/shop', [['u', 'p', '::1', 5433, 'shop'], ['u', 'p', 'fe80::1', 5432, 'shop']]], // prettier-ignore
  ['postgresql://u:p@/shop?host=/run/a,/run/b&port=5433', [['u', 'p', '/run/a', 5433, 'shop'], ['u', 'p', '/run/b', 5433, 'shop']]], // prettier-ignore
  ['postgresql://u:p@%2Frun%2Fpostgresql/shop', [['u', 'p', '/run/postgresql', 5432, 'shop']]],
  [String.raw`host=one,two port=1,2 user='a b' password='it\'s \\ #' dbname=shop`, [['a b', String.raw`it's \ #`, 'one', 1, 'shop'], ['a b', String.raw`it's \ #`, 'two', 2, 'shop']]], // prettier-ignore
])('reads %s', async (datasource, expected) => {
  expect(await read(datasource)).toEqual(expected);
});

it.each([
  ['sslmode=require', 'sslmode=verify-full'],
  ['sslmode=require&channel_binding=require', 'sslmode=verify-full&channel_binding=require'],
  ['sslmode=verify-full&sslrootcert=system', 'sslmode=verify-full'],
  ['sslmode=require&uselibpqcompat=true', 'sslmode=require&uselibpqcompat=true'],
  ['sslmode=no-verify', 'sslmode=no-verify'],
])('verifies the certificate as %s has it', async (given, expected) => {
  const { urls } = await connectionTargets(new Secret(`postgresql://db/shop?${given}`), {});
  expect(urls[0]).toBe(`postgresql:///shop?host=db&${expected}`);
});

it.each([
  [undefined, [undefined]],
  ['any', [undefined]],
  ['read-write', ['primary']],
  ['primary', ['primary']],
  ['read-only', ['standby']],
  ['prefer-standby', ['standby', undefined]],
])('accepts the roles of target_session_attrs=%s', async (attributes, roles) => {
  const query = attributes === undefined ? '' : `?target_session_attrs=${attributes}`;
  expect((await connectionTargets(new Secret(`postgresql://one,two/shop${query}`), {})).roles).toEqual(roles);
});

describe('with files', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'siphon-datasource-'));
    const services =
      '# comment\n[other]\nhost=other\n\n[shop]\nhost=one,two\nport=5433\nuser=u\ndbname = shop\nhost=late\n';
    await writeFile(join(folder, 'services'), services);
    const lines = ['#one:*:*:*:commented', 'one:5433:shop:other:wrong', String.raw`one:5433:*:u:it\:s \\`, '*:*:*:u:any\r', 'short:line']; // prettier-ignore
    await writeFile(join(folder, 'passwords'), lines.join('\n'), { mode: 0o600 });
  });
  afterAll(async () => await rm(folder, { recursive: true }));

  const environment = (): Record<string, string> => ({
    PGSERVICEFILE: join(folder, 'services'),
    PGPASSFILE: join(folder, 'passwords'),
  });

  it.each(['service=shop', 'postgresql:///?service=shop'])('reads the service of %s', async (datasource) => {
    expect(await read(datasource, environment())).toEqual([
      ['u', 'it:s \\', 'one', 5433, 'shop'],
      ['u', 'any', 'two', 5433, 'shop'],
    ]);
  });

  it('lets the datasource override the service, and PGSERVICE name it', async () => {
    const given = { ...environment(), PGSERVICE: 'shop' };
    expect(await read('dbname=stock password=p', given)).toMatchObject([['u', 'p', 'one', 5433, 'stock'], {}]);
    expect(await read('host=db user=u password=p dbname=shop', given)).toEqual([['u', 'p', 'db', 5432, 'shop']]);
  });

  it('names the file that lacks the service', async () => {
    await expect(read('service=stock', environment())).rejects.toThrow(`stock, which is not in ${folder}`);
  });

  it('ignores a password file that others may read', async () => {
    const file = join(folder, 'open');
    await writeFile(file, '*:*:*:*:secret');
    await chmod(file, 0o640);
    expect(await read(`host=db user=u dbname=shop passfile=${file}`)).toEqual([['u', null, 'db', 5432, 'shop']]);
  });
});
