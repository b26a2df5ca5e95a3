import { shipped } from '../../../tests/support/dashboards/shipped.ts';
import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { runCommand, type Ran } from '../../../tests/support/processes/run-command.ts';
import { freePorts } from '../../../tests/support/network/free-ports.ts';
import { FakeGrafana } from '../../../tests/support/dashboards/fake-grafana.ts';

async function push(
  url: string,
  { token = FakeGrafana.editorToken, folder }: { token?: string; folder?: string } = {},
): Promise<Ran> {
  const options = ['--url', url, '--token-env', 'TOKEN', ...(folder === undefined ? [] : ['--folder', folder])];
  return await runCommand(['dashboards', 'push', ...options], token === '' ? {} : { TOKEN: token });
}

const uids = shipped.dashboards.map(({ uid }) => uid).toSorted();

describe('siphon dashboards push', () => {
  it('creates the folder, uploads all dashboards, and prints their addresses', async () => {
    await using grafana = await FakeGrafana.start();
    const { exitCode, printed, errors } = await push(grafana.url);
    expect({ exitCode, errors }).toEqual({ exitCode: 0, errors: '' });
    expect([...grafana.folders.values()].map(({ title }) => title)).toEqual(['siphon']);
    expect([...grafana.dashboards.keys()].toSorted()).toEqual(uids);
    expect(printed.split('\n')).toEqual(uids.map((uid) => `created   ${grafana.url}/d/${uid}`));
  });

  it('uploads only the dashboards of a pack in a module', async () => {
    await using grafana = await FakeGrafana.start();
    const pack = fileURLToPath(new URL('../../../examples/shop/pack.ts', import.meta.url));
    const args = ['--url', grafana.url, '--token-env', 'TOKEN', '--pack', pack, '--only', 'shop'];
    const { errors } = await runCommand(['dashboards', 'push', ...args], { TOKEN: FakeGrafana.editorToken });
    expect(errors).toBe('');
    expect([...grafana.dashboards.keys()]).toEqual(['shop']);
  });

  it('names a pack that it cannot load, and writes nothing', async () => {
    await using grafana = await FakeGrafana.start();
    const args = ['--url', grafana.url, '--token-env', 'TOKEN', '--pack', 'missing.ts'];
    const { exitCode, errors } = await runCommand(['dashboards', 'push', ...args], { TOKEN: FakeGrafana.editorToken });
    expect({ exitCode, errors }).toEqual({ exitCode: 1, errors: 'missing.ts: file not found, or not readable' });
    expect(grafana.writes).toEqual([]);
  });

  it('warns of a token that travels unencrypted to another machine', async () => {
    const { exitCode, errors } = await push('http://grafana.invalid:3000');
    expect(exitCode).toBe(1);
    expect(errors).toMatch(/^warning: http:\/\/grafana\.invalid:3000 is not encrypted: /);
    expect((await push('https://grafana.invalid:3000')).errors).not.toContain('not encrypted');
  });

  it('writes nothing the second time', async () => {
    await using grafana = await FakeGrafana.start();
    await push(grafana.url);
    grafana.writes.length = 0;
    const { exitCode, printed } = await push(grafana.url);
    expect(exitCode).toBe(0);
    expect(printed).toBe(uids.map((uid) => `unchanged ${grafana.url}/d/${uid}`).join('\n'));
    expect(grafana.writes).toEqual([]);
  });

  it('updates what has changed and nothing else', async () => {
    await using grafana = await FakeGrafana.start();
    await push(grafana.url);
    const stored = grafana.dashboards.get('siphon-prices');
    if (stored === undefined) throw new Error('not there');
    stored.dashboard['title'] = 'An older title';
    grafana.writes.length = 0;
    const { printed } = await push(grafana.url);
    expect(printed).toContain('updated   ');
    expect(grafana.writes).toEqual(['POST /api/dashboards/db']);
    expect(grafana.dashboards.get('siphon-prices')?.dashboard).toMatchObject({ title: 'Price monitoring', version: 2 });
  });

  it('uses an existing folder with this title', async () => {
    await using grafana = await FakeGrafana.start();
    grafana.folders.set('abc', { uid: 'abc', title: 'Coffee' });
    await push(grafana.url, { folder: 'Coffee' });
    expect(grafana.folders.size).toBe(1);
    expect([...grafana.dashboards.values()].every(({ folderUid }) => folderUid === 'abc')).toBe(true);
  });

  it('never overwrites the dashboard of someone else, and then writes none at all', async () => {
    await using grafana = await FakeGrafana.start();
    const foreign = { uid: 'siphon-prices', title: 'Ours', tags: ['team'], version: 7 };
    grafana.dashboards.set('siphon-prices', { dashboard: foreign, folderUid: '', provisioned: false });
    const { exitCode, errors } = await push(grafana.url);
    expect(exitCode).toBe(1);
    expect(errors).toContain('siphon-prices ("Ours") exists and was not created by siphon');
    expect(grafana.writes).toEqual([]);
    expect(grafana.dashboards.get('siphon-prices')?.dashboard).toEqual(foreign);
  });

  it('leaves alone what is provisioned from a file', async () => {
    await using grafana = await FakeGrafana.start();
    const dashboard = { uid: 'siphon-roaster', tags: ['siphon-otel'], version: 1 };
    grafana.dashboards.set('siphon-roaster', { dashboard, folderUid: '', provisioned: true });
    const { exitCode, errors } = await push(grafana.url);
    expect(exitCode).toBe(1);
    expect(errors).toContain('siphon-roaster is provisioned from a file');
    expect(grafana.writes).toEqual([]);
  });

  it('takes back what it had written when a later one fails', async () => {
    await using grafana = await FakeGrafana.start();
    grafana.brokenUid = 'siphon-roaster';
    const { exitCode, errors } = await push(grafana.url);
    expect(exitCode).toBe(1);
    expect(errors).toContain('500: Failed to save dashboard');
    expect(errors).toContain('the changes were rolled back');
    expect(grafana.dashboards.size).toBe(0);
    expect(grafana.folders.size).toBe(0);
  });

  it('puts back what it had updated when a later one fails', async () => {
    await using grafana = await FakeGrafana.start();
    await push(grafana.url);
    for (const { dashboard } of grafana.dashboards.values()) dashboard['title'] = `Older ${String(dashboard['uid'])}`;
    grafana.brokenUid = 'siphon-roaster';
    await push(grafana.url);
    for (const [uid, { dashboard }] of grafana.dashboards) expect(dashboard['title']).toBe(`Older ${uid}`);
  });

  it('names a token that is missing, wrong or too weak, and never shows it', async () => {
    await using grafana = await FakeGrafana.start();
    const missing = await push(grafana.url, { token: '' });
    expect(missing).toMatchObject({ exitCode: 1, errors: 'environment variable TOKEN (from --token-env) is not set' });
    const wrong = await push(grafana.url, { token: 'glsa_wrong' });
    expect(wrong.exitCode).toBe(1);
    expect(wrong.errors).toContain('rejected the token (401)');
    const weak = await push(grafana.url, { token: FakeGrafana.viewerToken });
    expect(weak.exitCode).toBe(1);
    expect(weak.errors).toContain('it needs the role Editor');
    const broken = await push(grafana.url, { token: 'glsa\u00a0secret' });
    expect(broken.errors).toBe('TOKEN does not look like a token: it contains spaces or control characters');
    for (const { errors } of [wrong, weak, broken]) expect(errors).not.toContain('glsa');
    expect(grafana.dashboards.size).toBe(0);
  });

  it('names a Grafana that cannot be reached, and a server that is not a Grafana', async () => {
    const [port] = await freePorts(1);
    const away = await push(`http://127.0.0.1:${port}`);
    expect(away.exitCode).toBe(1);
    expect(away.errors).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/ cannot be reached: .*ECONNREFUSED/);

    const other = createServer((request, response) => {
      if (request.url?.startsWith('/moved/') === true) response.writeHead(302, { location: '/login' }).end();
      else response.end('<html>');
    }).listen(0, '127.0.0.1');
    await once(other, 'listening');
    const base = `http://127.0.0.1:${(other.address() as AddressInfo).port}`;
    expect((await push(base)).errors).toContain('answers, but not like Grafana');
    expect((await push(`${base}/moved`)).errors).toContain('redirects to /login');
    other.close();
    other.closeAllConnections();
  });

  it.each([
    [[], '--url URL is required'],
    [['--url', 'http://grafana'], '--token-env NAME is required'],
    [['--url', 'grafana', '--token-env', 'TOKEN'], '--url must be an address'],
    [['--url', 'http://a:b@grafana', '--token-env', 'TOKEN'], 'without credentials'],
    [['--url', 'http://grafana', '--token-env', 'TOKEN', '--folder', ''], '--folder must not be empty'],
    [['--config', 'x'], "Unknown option '--config'"],
  ])('refuses %s', async (args, message) => {
    const { exitCode, errors } = await runCommand(['dashboards', 'push', ...args]);
    expect(exitCode).toBe(2);
    expect(errors).toContain(message);
    expect(errors).toContain("Run 'siphon dashboards push --help' for its options");
  });
});
