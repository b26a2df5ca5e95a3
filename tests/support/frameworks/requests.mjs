/** Starts the server of the module in the arguments, and sends it one request of each kind. */
import { once } from 'node:events';
import { pathToFileURL } from 'node:url';

const { serve } = await import(pathToFileURL(process.argv.at(-1)).href);
const server = await serve();
if (!server.listening) await once(server, 'listening');
const origin = `http://127.0.0.1:${server.address().port}`;
for (const path of ['/users/42', '/tenants/7/items/8', '/fail', '/tenants/7/fail', '/missing']) {
  const response = await fetch(origin + path);
  await response.text();
  process.stdout.write(`${response.status} ${path}\n`);
}
server.close();
server.closeAllConnections();
