/**
 * Owns one PostgreSQL server for the parent process. When the channel to the parent closes, for any reason, the keeper
 * stops the server and removes its data.
 */
import type { ChildProcess } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { freePort } from './free-port.ts';
import type { KeeperReply, KeeperRequest, KeptServer, StartRequest } from './embedded-postgres.ts';
import { chooseOwner, findBinaries, makeFolder } from './owner.ts';
import { initialise, startServer, stopServer, type ServerSettings } from './server.ts';

const startAttempts = 3;
const owner = await chooseOwner();
const folder = await makeFolder('siphon-postgres-', owner);
let settings: ServerSettings | undefined;
let server: ChildProcess | undefined;
let ending = false;

process.on('message', (request: KeeperRequest) => {
  void reply(request);
});
process.on('disconnect', () => {
  void end();
});
// The parent waits for this message, because a request sent while this module was loading would be lost.
if (process.connected) send({});
else await end();

async function reply(request: KeeperRequest): Promise<void> {
  try {
    send(await answer(request));
  } catch (error) {
    send({ error: error instanceof Error ? error.message : String(error) });
  }
}

async function answer(request: KeeperRequest): Promise<KeeperReply> {
  switch (request.command) {
    case 'start':
      return { server: await startOnFreePort(request) };
    case 'pause':
      await stop();
      return {};
    case 'resume':
      if (settings === undefined) throw new Error('the server was never started');
      return { server: await start(settings) };
    case 'stop':
      await end();
      return {};
  }
}

async function startOnFreePort({ parameters, ...login }: StartRequest): Promise<KeptServer> {
  const place = { owner, folder, binaries: await findBinaries(owner, folder) };
  await initialise(place, login);
  for (let attempt = 1; ; attempt++) {
    settings = { ...place, parameters, port: await freePort(0) };
    try {
      return await start(settings);
    } catch (error) {
      // Another process may have taken the port after it was chosen.
      if (attempt === startAttempts || !String(error).includes('Address already in use')) throw error;
    }
  }
}

/** The keeper ends when the server ends unexpectedly, so that the parent notices. */
async function start(place: ServerSettings): Promise<KeptServer> {
  const started = await startServer(place);
  server = started;
  started.once('exit', () => {
    if (server === started) void end(1);
  });
  return { port: place.port, pid: started.pid!, folder };
}

async function stop(): Promise<void> {
  const stopping = server;
  server = undefined;
  if (stopping !== undefined) await stopServer(stopping);
}

async function end(exitCode = 0): Promise<void> {
  if (ending) return;
  ending = true;
  await stop();
  await rm(folder, { recursive: true, force: true });
  process.exit(exitCode);
}

function send(message: KeeperReply): void {
  if (process.connected) process.send?.(message);
}
