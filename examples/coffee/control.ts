/** Lets a second command control a running demo: a file in the demo's folder contains the port of a server on 127.0.0.1. */
import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { faults, isFault, type Fault } from './fault.ts';
import { stopServer } from '../sentry-sink/stop-server.ts';

/** The parent folder and the name prefix of the folders of running demos. */
export const foldersPlace = tmpdir();
export const folderPrefix = 'siphon-demo-';

const fileName = 'control.json';

type SetFault = (fault: Fault, on: boolean) => Promise<void>;

/** Accepts `PUT` and `DELETE` of `/faults/NAME`. Returns a function that ends the server. */
export async function startControl(folder: string, setFault: SetFault): Promise<() => Promise<void>> {
  const server = createServer((request, response) => {
    request.resume();
    const wanted = readSwitch(request);
    if (wanted === undefined) return void response.writeHead(404).end(`PUT or DELETE /faults/{${faults.join(',')}}`);
    setFault(wanted.fault, wanted.on).then(
      () => response.writeHead(204).end(),
      (error: unknown) => response.writeHead(409).end(error instanceof Error ? error.message : String(error)),
    );
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  await writeFile(join(folder, fileName), JSON.stringify({ port }), { mode: 0o600 });
  return async () => await stopServer(server);
}

/**
 * Switches a fault of the latest running demo.
 * @throws Error when no demo runs, or with the reason why the demo refuses.
 */
export async function switchFault(fault: Fault, on: boolean, place = foldersPlace): Promise<void> {
  for (const port of await portsIn(place)) {
    const response = await ask(`http://127.0.0.1:${port}/faults/${fault}`, on ? 'PUT' : 'DELETE');
    if (response?.ok === true) return;
    if (response !== undefined) throw new Error(await response.text());
  }
  throw new Error('no demo is running: start one with `npm run demo`');
}

function readSwitch({ url = '', method }: IncomingMessage): { fault: Fault; on: boolean } | undefined {
  const fault = url.replace('/faults/', '');
  if (!isFault(fault) || (method !== 'PUT' && method !== 'DELETE')) return undefined;
  return { fault, on: method === 'PUT' };
}

/** Sorted by start time, latest first. A demo that was killed may have left its folder. */
async function portsIn(place: string): Promise<number[]> {
  const names = (await readdir(place)).filter((name) => name.startsWith(folderPrefix));
  const found = await Promise.all(names.map(async (name) => await readPort(join(place, name, fileName))));
  return found
    .flatMap((state) => state ?? [])
    .toSorted((a, b) => b.since - a.since)
    .map(({ port }) => port);
}

async function readPort(file: string): Promise<{ port: number; since: number } | undefined> {
  try {
    const { port } = JSON.parse(await readFile(file, 'utf8')) as { port: number };
    return { port, since: (await stat(file)).mtimeMs };
  } catch (error) {
    // The demo is starting or ending, or the folder belongs to another user.
    if (['ENOENT', 'EACCES', 'ENOTDIR'].includes(String((error as NodeJS.ErrnoException).code))) return undefined;
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

async function ask(url: string, method: string): Promise<Response | undefined> {
  try {
    return await fetch(url, { method });
  } catch (error) {
    if (error instanceof TypeError) return undefined;
    throw error;
  }
}
