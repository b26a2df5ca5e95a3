/** Forms of headers that public bug reports name: the service sends the same with and without the preload. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { runObserved } from '../../support/processes/observed-script.ts';

const script = `
  import { createServer, get, request } from 'node:http';
  import { once } from 'node:events';
  const server = createServer(({ url, rawHeaders }, response) => {
    const pairs = rawHeaders.flatMap((name, at) => at % 2 === 0 && /^(?:x-|\\d|trace)/i.test(name) ? [name + '=' + rawHeaders[at + 1]] : []);
    console.log(url, pairs.map((pair) => pair.replace(/=00-.*-0[01]$/, '=VALID')).toSorted().join(' '));
    response.end('ok');
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address();
  const origin = 'http://127.0.0.1:' + port;
  const own = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
  const sent = async (client) => { const [response] = await once(client.end(), 'response'); response.resume(); await once(response, 'close'); };
  await sent(request({ port, path: '/list', headers: ['X-A', '1', 'x-b', '2', 'Host', 'h'] }));
  await sent(request(origin + '/pairs', { headers: [['X-A', '1'], ['x-a', '2'], ['Host', 'h']] }));
  await sent(get({ port, path: '/object', headers: { 'X-A': ['1', '2'] } }));
  await sent(request({ port, path: '/own', headers: { Traceparent: own } }));
  await sent(request({ port, path: '/own-list', headers: ['traceparent', own, 'Host', 'h'] }));
  await (await fetch(origin + '/fetch', { headers: [['x-a', '1'], ['x-a', '2']] })).text();
  await (await fetch(origin + '/fetch-own', { headers: { traceparent: own, 'x-a': '1' } })).text();
  process.exit(0);`;

it('sends the headers of the application as they are, and one value of each trace header', async () => {
  const bare = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', script]);
  await using run = await runObserved(script);
  expect(run).toMatchObject({ code: 0, stderr: '' });
  const lines = run.stdout.trim().split('\n');
  expect(lines.map((line) => line.replaceAll(/ ?\btraceparent=VALID/gi, '')).map((line) => line.trim())).toEqual(
    bare.stdout
      .trim()
      .split('\n')
      .map((line) => line.replaceAll(/ ?\btraceparent=VALID/gi, '').trim()),
  );
  for (const line of lines) expect(line.match(/traceparent=VALID/gi), line).toHaveLength(1);
});
