import { once } from 'node:events';
import { createServer } from 'node:net';

/**
 * Below those that the system gives to clients, so that no connection takes one between the probe and its use,
 * and above those that `fetch` refuses.
 */
const LOWEST = 11_000;
const HIGHEST = 32_000;

/** Returns different free ports of 127.0.0.1, for servers that cannot choose a port and report it. */
export async function freePorts(count: number): Promise<number[]> {
  const ports: number[] = [];
  let port = LOWEST + Math.floor(Math.random() * (HIGHEST - LOWEST));
  for (; ports.length < count; port = port < HIGHEST ? port + 1 : LOWEST) if (await isFree(port)) ports.push(port);
  return ports;
}

async function isFree(port: number): Promise<boolean> {
  const probe = createServer().listen(port, '127.0.0.1');
  const free = await once(probe, 'listening').then(
    () => true,
    () => false,
  );
  probe.close();
  return free;
}
