/** Leaves the last telemetry in files for a sidecar that does not get it. Runs while the process ends. */
import { randomUUID } from 'node:crypto';
import {
  appendFileSync,
  closeSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  writeSync,
  type Stats,
} from 'node:fs';
import path from 'node:path';
import { setValue } from './environment-problems.ts';
import type { LastRequest, Undelivered } from './last-delivery.ts';
import {
  defaultSpoolDirectory,
  isExpired,
  isPrivateDirectory,
  lostRequestsName,
  MAX_SPOOL_BYTES,
  MAX_SPOOL_FILES,
  parseSpoolFileName,
  spoolFileName,
} from '../engine/otlp/spool-file.ts';

type Environment = Readonly<Record<string, string | undefined>>;

type SpooledRequest = Pick<LastRequest, 'url' | 'signal' | 'body'>;

type Spooled = { readonly [Part in keyof Undelivered]: readonly SpooledRequest[] };

const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/;

/** A slow disk takes so much in a few milliseconds. */
const CHUNK_BYTES = 256 * 1024;

/**
 * Writes the unsent requests to sidecars of this machine: with `SIPHON_SPOOL_DIRECTORY` those to all hosts, and none if it
 * is `none`. Requests that find no room or no time are counted in the directory, and so are those whose fate is unknown.
 *
 * @param deadlineMs when it must end, on the clock of `performance.now()`.
 * @throws Error if the directory is not private, or cannot be written.
 */
export function spool({ unsent, unknown }: Spooled, environment: Environment, deadlineMs: number): void {
  const named = setValue(environment, 'SIPHON_SPOOL_DIRECTORY');
  const directory = named ?? defaultSpoolDirectory();
  if (directory === undefined || named === 'none') return;
  const hasReader = ({ url }: SpooledRequest): boolean => named !== undefined || LOOPBACK.test(new URL(url).hostname);
  const [kept, lost] = [unsent.filter(hasReader), unknown.filter(hasReader)];
  if (kept.length + lost.length === 0) return;
  const found = openDirectory(directory, named !== undefined);
  removeExpired(directory);
  for (const { url } of lost) countLost(directory, portOf(url), 1);
  for (const request of kept) {
    const isKept = hasRoom(directory, request.body.length) && write(request, { directory, found, deadlineMs });
    if (!isKept) countLost(directory, portOf(request.url), 1);
  }
}

function openDirectory(directory: string, isNamed: boolean): Stats {
  try {
    mkdirSync(directory, { mode: 0o700 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  const found = lstatSync(directory);
  if (!isPrivateDirectory(found, isNamed) || found.uid !== process.getuid?.()) {
    throw new Error(`${directory} must be a directory of this user that others cannot write`);
  }
  return found;
}

function removeExpired(directory: string): void {
  const nowMs = Date.now();
  for (const name of readdirSync(directory)) {
    const file = parseSpoolFileName(name);
    if (file === undefined || !isExpired(file, nowMs)) continue;
    rmSync(path.join(directory, name), { force: true });
    countLost(directory, file.port, 1);
  }
}

function hasRoom(directory: string, bytes: number): boolean {
  const sizes = readdirSync(directory)
    .filter((name) => parseSpoolFileName(name) !== undefined)
    .map((name) => lstatSync(path.join(directory, name), { throwIfNoEntry: false })?.size ?? 0);
  return sizes.length < MAX_SPOOL_FILES && sizes.reduce((sum, size) => sum + size, bytes) <= MAX_SPOOL_BYTES;
}

interface Target {
  readonly directory: string;
  readonly found: Stats;
  readonly deadlineMs: number;
}

/**
 * Returns false if the time is over. A file has its final name when it is complete. Members of the directory's group may
 * read it if they may read the directory.
 */
function write({ url, signal, body }: SpooledRequest, { directory, found, deadlineMs }: Target): boolean {
  const file = { port: portOf(url), signal, writtenAtMs: Date.now(), id: randomUUID() };
  const part = path.join(directory, spoolFileName({ ...file, state: 'part' }));
  const descriptor = openSync(part, 'wx', 0o600 | (found.mode & 0o040));
  let written = 0;
  try {
    while (written < body.length && performance.now() < deadlineMs) {
      written += writeSync(descriptor, body.subarray(written, written + CHUNK_BYTES));
    }
  } finally {
    closeSync(descriptor);
    if (written < body.length) rmSync(part);
  }
  if (written < body.length) return false;
  renameSync(part, path.join(directory, spoolFileName({ ...file, state: 'otlp' })));
  return true;
}

function countLost(directory: string, port: number, requests: number): void {
  appendFileSync(path.join(directory, lostRequestsName(port)), '.'.repeat(requests), { mode: 0o600 });
}

function portOf(url: string): number {
  const { port, protocol } = new URL(url);
  return Number(port) || (protocol === 'https:' ? 443 : 80);
}
