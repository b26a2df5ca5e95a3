import { readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { faults, isFault, type Fault } from './fault.ts';

/** Where a running demo leaves its control address, so that a second command finds it. */
const stateFile = join(tmpdir(), `siphon-demo-${userInfo().uid}.json`);

/** `PUT` or `DELETE` of `/faults/NAME` on 127.0.0.1. Returns how to end it. */
export async function startControl(
  setFault: (fault: Fault, on: boolean) => Promise<void>,
): Promise<() => Promise<void>> {
  const server = createServer((request, response) => {
    const fault = (request.url ?? '').replace('/faults/', '');
    if (!isFault(fault) || (request.method !== 'PUT' && request.method !== 'DELETE')) {
      response.writeHead(404).end(`PUT or DELETE /faults/{${faults.join(',')}}`);
      return;
    }
    setFault(fault, request.method === 'PUT').then(
      () => response.writeHead(204).end(),
      (error: unknown) => response.writeHead(409).end(error instanceof Error ? error.message : String(error)),
    );
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  await writeFile(stateFile, JSON.stringify({ port }), { mode: 0o600 });
  return async () => {
    server.close();
    server.closeAllConnections();
    await rm(stateFile, { force: true });
  };
}

/** Switches a fault of the demo that runs on this machine. */
export async function switchFault(fault: Fault, on: boolean): Promise<void> {
  const state = await readFile(stateFile, 'utf8').catch((cause: unknown) => {
    throw new Error('no demo is running: start one with `npm run demo`', { cause });
  });
  const { port } = JSON.parse(state) as { port: number };
  const response = await fetch(`http://127.0.0.1:${port}/faults/${fault}`, { method: on ? 'PUT' : 'DELETE' });
  if (!response.ok) throw new Error(await response.text());
}
