/** The package on the oldest Node.js of `engines`, which is installed from npm. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import manifest from '../../package.json' with { type: 'json' };
import { installNode } from '../support/processes/install-node.ts';
import { InstalledProject } from '../support/processes/installed-project.ts';
import { Sidecar } from '../support/processes/sidecar.ts';
import { waitFor } from '../support/wait-for.ts';

const version = `${manifest.engines.node.replace('>=', '').trim()}.0`;
const folder = mkdtempSync(path.join(tmpdir(), 'siphon-oldest-'));
const installed = await installNode(version, folder).catch((error: unknown) => error as Error);
if (installed instanceof Error)
  process.stderr.write(`That siphon runs on Node.js ${version} is not proved: ${installed.message}\n`);
const node = installed instanceof Error ? '' : installed;

afterAll(() => rmSync(folder, { recursive: true, force: true }));

const SERVICE = `
import { createServer } from 'node:http';
const server = createServer((request, response) => response.end(process.version));
server.listen(0, '127.0.0.1', async () => {
  console.log(await (await fetch('http://127.0.0.1:' + server.address().port + '/greeting')).text());
  server.close();
  server.closeAllConnections();
});
`;

describe.skipIf(node === '')(`on Node.js ${version}`, () => {
  it('the command runs, and the preload sends it the spans of a service', async () => {
    await using project = await InstalledProject.create();
    const command = path.join(project.folder, 'node_modules/.bin/siphon');
    const config = path.join(project.folder, 'node_modules/siphon-otel/otel-collector.yaml');
    const environment = { PATH: `${path.dirname(node)}:${process.env['PATH']}` };
    const validated = await project.run(command, { node, args: ['validate', '--config', config] });
    expect(validated).toMatchObject({ code: 0, stderr: '' });
    await using sidecar = await Sidecar.start({ command, configs: [config], environment });
    await project.write('service.mjs', SERVICE);
    const service = await project.run('service.mjs', {
      node,
      flags: ['--import', 'siphon-otel/preload'],
      environment: { OTEL_EXPORTER_OTLP_ENDPOINT: sidecar.otlpHttp, SIPHON_FLUSH_TIMEOUT_MS: '8000' },
    });
    expect(service).toMatchObject({ code: 0, lines: [`v${version}`], stderr: '' });
    const url = sidecar.url({ id: 'telemetry_store' });
    const traces = await waitFor(
      async () => {
        const { lines } = await project.run(command, { node, args: ['traces', '--url', url] });
        return lines.some((line) => line.includes('GET')) && lines;
      },
      { what: 'the trace of the service' },
    );
    expect(traces).toHaveLength(2);
    expect(await sidecar.stop()).toBe(0);
  });
});
