import { chown, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Secret } from '../../../src/engine/schema/secret.ts';
import { startEmbeddedPostgres, type EmbeddedPostgres } from '../../../examples/postgres/embedded-postgres.ts';
import { chooseOwner, makeFolder } from '../../../examples/postgres/owner.ts';
import { ReadOnlyPool, type ReadOnlyQuery } from '../../../src/postgres/read-only-pool.ts';
import { dbPollerReceiver } from '../../../src/components/receivers/db-poller/factory.ts';
import { packs as builtInPacks } from '../../../src/packs/index.ts';
import { findingsOf } from '../../support/components/findings.ts';
import { runSql } from '../../support/postgres/test-postgres.ts';
import { hasOpenssl, SelfSignedCertificates } from '../../support/network/self-signed-certificates.ts';
import { waitFor } from '../../support/wait-for.ts';

const isEncrypted: ReadOnlyQuery = {
  text: 'select ssl from pg_stat_ssl where pid = pg_backend_pid()',
  values: [],
  timeoutMs: 2000,
  maxRows: 1,
};

describe.skipIf(!hasOpenssl)('a connection to PostgreSQL with TLS', () => {
  const certificates = hasOpenssl ? new SelfSignedCertificates('server', 'other') : undefined;
  let server: EmbeddedPostgres;
  let folder: string;
  const warnings: Error[] = [];
  const onWarning = (warning: Error): void => void warnings.push(warning);
  beforeAll(async () => {
    process.on('warning', onWarning);
    server = await startEmbeddedPostgres();
    folder = await serverFiles(certificates!);
    // Until here the server does not support TLS, and refuses it.
    for (const mode of ['require', 'verify-full', 'no-verify']) {
      await expect(ask(`sslmode=${mode}`)).rejects.toThrow('does not support SSL');
    }
    for (const [name, value] of Object.entries({
      ssl_cert_file: join(folder, 'server.pem'),
      ssl_key_file: join(folder, 'server.key'),
      ssl: 'on',
    }))
      await runSql(server.url, `alter system set ${name} = '${value}'`);
    await runSql(server.url, 'select pg_reload_conf()');
    await waitFor(async () => (await runSql(server.url, 'show ssl'))[0]?.['ssl'] === 'on', { what: 'TLS' });
  });
  afterAll(async () => {
    process.off('warning', onWarning);
    certificates?.[Symbol.dispose]();
    await server.stop();
    await rm(folder, { recursive: true });
  });

  const pool = (parameters: string, host = '127.0.0.1'): ReadOnlyPool =>
    new ReadOnlyPool({
      datasource: new Secret(Object.assign(new URL(server.url), { search: parameters, hostname: host }).href),
      maxConnections: 1,
      connectTimeoutMs: 2000,
      lockTimeoutMs: 1000,
      onConnect: () => undefined,
    });
  const ask = async (parameters: string, host?: string): Promise<unknown> => {
    const asked = pool(parameters, host);
    try {
      return (await asked.query(isEncrypted)).rows[0]?.['ssl'];
    } finally {
      await asked.close();
    }
  };
  const trusting = (name: string): string => `sslrootcert=${certificates!.file(`${name}.pem`)}`;

  it.each([
    ['verify-full', /with TLS$/, []],
    ['no-verify', /with TLS$/, ['the connection uses TLS, but the server certificate is not verified']],
    ['disable', /without TLS$/, []],
  ])('is looked at by siphon doctor with sslmode=%s', async (mode, connects, flaws) => {
    const parameters = mode === 'verify-full' ? `sslmode=${mode}&${trusting('server')}` : `sslmode=${mode}`;
    const datasource = Object.assign(new URL(server.url), { search: parameters }).href;
    const found = await findingsOf(dbPollerReceiver(builtInPacks), { datasource, packs: { postgres_health: {} } });
    expect(found[0]).toMatchObject({ severity: 'ok', what: expect.stringMatching(connects) });
    const objections = found.filter(
      ({ severity, what }) => severity !== 'ok' && severity !== 'note' && !what.startsWith('role '),
    );
    expect(objections.map(({ what }) => what)).toEqual(flaws);
  });

  it.each(['verify-full', 'verify-ca', 'require', 'prefer'])('is verified with sslmode=%s', async (mode) => {
    expect(await ask(`sslmode=${mode}&${trusting('server')}`)).toBe(true);
    await expect(ask(`sslmode=${mode}`)).rejects.toThrow(/TLS parameters.*self-signed certificate/);
    await expect(ask(`sslmode=${mode}&${trusting('other')}`)).rejects.toMatchObject({ reason: 'connection' });
    await expect(ask(`sslmode=${mode}&${trusting('server')}`, 'localhost')).rejects.toThrow(
      "does not match certificate's altnames",
    );
    expect(warnings).toEqual([]);
  });

  // The parameters that RDS, DigitalOcean, Neon and Supabase hand out.
  it.each(['sslmode=require', 'sslmode=require&channel_binding=require', 'sslmode=require&pgbouncer=true'])(
    'that fails with %s of a provider names the parameters that help',
    async (parameters) => {
      await expect(ask(parameters)).rejects.toThrow(/sslrootcert=FILE.*or sslmode=no-verify/);
      const datasource = Object.assign(new URL(server.url), { search: parameters }).href;
      const found = await findingsOf(dbPollerReceiver(builtInPacks), { datasource, packs: { postgres_health: {} } });
      expect(found).toEqual([
        {
          severity: 'error',
          what: expect.stringMatching(/^cannot connect: .*sslrootcert/),
          repair: expect.stringMatching(/sslrootcert=FILE.*no-verify/),
        },
      ]);
      expect(await ask(`${parameters}&${trusting('server')}`)).toBe(true);
    },
  );

  it('that fails because the server wants TLS, as on Heroku, names the parameter that helps', async () => {
    const [{ file }] = (await runSql(server.url, `select current_setting('hba_file') as file`)) as [{ file: string }];
    const rules = await readFile(file, 'utf8');
    try {
      await writeFile(file, `hostnossl all all 127.0.0.1/32 reject\n${rules}`);
      await runSql(`${server.url}?sslmode=no-verify`, 'select pg_reload_conf()');
      await waitFor(async () => (await ask('').catch(String)) !== false, { what: 'the new rules' });
      await expect(ask('')).rejects.toThrow(/without TLS; add sslmode=verify-full/);
      expect(await ask(`sslmode=require&${trusting('server')}`)).toBe(true);
    } finally {
      await writeFile(file, rules);
      await runSql(`${server.url}?sslmode=no-verify`, 'select pg_reload_conf()');
    }
  });

  it('is encrypted and not verified with sslmode=no-verify, and plain with sslmode=disable or none', async () => {
    expect(await ask('sslmode=no-verify')).toBe(true);
    expect(await ask('sslmode=disable')).toBe(false);
    expect(await ask('')).toBe(false);
  });

  it('is as libpq has it where the URL asks for that', async () => {
    expect(await ask('sslmode=require&uselibpqcompat=true')).toBe(true);
    await expect(ask('sslmode=verify-full&uselibpqcompat=true')).rejects.toMatchObject({ reason: 'connection' });
  });

  it('reports a missing certificate file, without the password', async () => {
    const failure = await ask('sslmode=verify-full&sslrootcert=/nowhere.pem').catch(String);
    expect(failure).toMatch(/TLS parameters.*nowhere\.pem/);
    expect(failure).not.toContain(new URL(server.url).password);
  });

  it('has what runs ended on the server when it is closed', async () => {
    const closing = pool('sslmode=no-verify');
    const running = closing.query({ text: 'select pg_sleep(30)', values: [], timeoutMs: 60_000, maxRows: 1 });
    const sleepers = `select from pg_stat_activity where query like '%pg_sleep(30)%' and state = 'active' and pid <> pg_backend_pid()`;
    await waitFor(async () => (await runSql(server.url, sleepers)).length === 1, { what: 'the query' });
    await Promise.all([closing.close(), expect(running).rejects.toThrow(/abort/)]);
    await waitFor(async () => (await runSql(server.url, sleepers)).length === 0, { what: 'its end' });
  });
});

/** Certificate and key, readable by the server; the key by the server only. */
async function serverFiles(certificates: SelfSignedCertificates): Promise<string> {
  const owner = await chooseOwner();
  const folder = await makeFolder('siphon-tls-', owner);
  for (const name of ['server.pem', 'server.key']) {
    const file = join(folder, name);
    await writeFile(file, certificates.read(name), { mode: 0o600 });
    if (owner.uid !== undefined && owner.gid !== undefined) await chown(file, owner.uid, owner.gid);
  }
  return folder;
}
