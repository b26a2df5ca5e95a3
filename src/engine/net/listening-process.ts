import { existsSync, readdirSync, readFileSync, readlinkSync, realpathSync } from 'node:fs';
import { basename, resolve } from 'node:path';

/** Who listens on a port of this machine. */
export interface ListeningProcess {
  readonly pid: number;
  /** The name of its program, without arguments, which may contain secrets. */
  readonly program: string;
  /** `sidecar`: siphon with the configuration of this command. `siphon`: with another one. */
  readonly is: 'sidecar' | 'siphon' | 'other';
}

/** Undefined where the system does not show it: outside of Linux, for this process, or if it belongs to another user. */
export function listeningProcess(port: number): ListeningProcess | undefined {
  if (process.platform !== 'linux') return undefined;
  const sockets = listeningSockets(port);
  const pids =
    sockets.size === 0 ? [] : readdirSync('/proc').filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid);
  const pid = pids.find((candidate) => socketsOf(candidate).some((socket) => sockets.has(socket)));
  const other = pid === undefined ? undefined : started(pid);
  if (pid === undefined || other === undefined) return undefined;
  const [theirs, ours] = [configurationOf(other), configurationOf({ args: process.argv, cwd: process.cwd() })];
  const is = theirs === undefined ? 'other' : theirs === ours ? 'sidecar' : 'siphon';
  return { pid: Number(pid), program: basename(other.args[0] ?? ''), is };
}

/** Returns names such as `socket:[inode]`. */
function listeningSockets(port: number): ReadonlySet<string> {
  const ending = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const lines = ['/proc/net/tcp', '/proc/net/tcp6'].flatMap((file) => (unlessHidden(() => readFileSync(file, 'utf8')) ?? '').split('\n')); // prettier-ignore
  const LISTEN = '0A';
  return new Set(
    lines
      .map((line) => line.trim().split(/\s+/))
      .filter(([, address, , state]) => address?.endsWith(ending) === true && state === LISTEN)
      .map((columns) => `socket:[${columns[9]}]`),
  );
}

function socketsOf(pid: string): string[] {
  const folder = `/proc/${pid}/fd`;
  const files = unlessHidden(() => readdirSync(folder)) ?? [];
  return files.flatMap((file) => unlessHidden(() => readlinkSync(`${folder}/${file}`)) ?? []);
}

interface Started {
  readonly args: readonly string[];
  readonly cwd: string;
}

function started(pid: string): Started | undefined {
  return unlessHidden(() => ({
    args: readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').slice(0, -1),
    cwd: readlinkSync(`/proc/${pid}/cwd`),
  }));
}

/** Undefined if the program is not siphon. */
function configurationOf({ args, cwd }: Started): string | undefined {
  const script = args.findIndex((arg, i) => i > 0 && isSiphon(resolve(cwd, arg)));
  if (script === -1) return undefined;
  const given = args.slice(script + 1);
  const valuesOf = (option: string): string[] =>
    given.flatMap((arg, i) =>
      arg === option ? (given[i + 1] ?? []) : arg.startsWith(`${option}=`) ? arg.slice(option.length + 1) : [],
    );
  const configs = valuesOf('--config').map((config) => (existsSync(resolve(cwd, config)) ? resolve(cwd, config) : config)); // prettier-ignore
  return JSON.stringify([configs.length > 0 ? configs : cwd, valuesOf('--set')]);
}

/** The path may be a link, such as node_modules/.bin/siphon. */
function isSiphon(path: string): boolean {
  const [real, own] = [path, process.argv[1] ?? ''].map((script) => unlessHidden(() => realpathSync(script)));
  return real !== undefined && (real === own || real.endsWith('/siphon-otel/dist/main.js'));
}

/** A process can end at any moment, and those of other users are hidden. */
function unlessHidden<Value>(read: () => Value): Value | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
