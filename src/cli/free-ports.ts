import { createServer } from 'node:http';
import { close, listen } from '../engine/net/http-server.ts';
import { DEFAULT_PORTS, type DefaultConfigOptions } from './default-config.ts';

type Ports = DefaultConfigOptions['ports'];

/** For each default port, it or the next one that is free. */
export async function freePorts(): Promise<Ports> {
  const chosen = new Set<number>(Object.values(DEFAULT_PORTS));
  const ports: Partial<Record<keyof Ports, number>> = {};
  for (const [name, first] of Object.entries(DEFAULT_PORTS)) {
    let port: number = first;
    while (port < MAX_PORT && !((port === first || !chosen.has(port)) && (await isFree(port)))) port += 1;
    chosen.add(port);
    ports[name as keyof Ports] = port;
  }
  return { ...DEFAULT_PORTS, ...ports };
}

const MAX_PORT = 65_535;

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  try {
    await listen(server, { host: '127.0.0.1', port });
    await close(server, AbortSignal.abort());
    return true;
  } catch {
    return false;
  }
}
