/**
 * The files in which a service leaves its last telemetry for a sidecar that does not listen. The preload writes them, and
 * the `otlp` receiver reads them.
 */
import type { Stats } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Signal } from '../component.ts';

/** An OTLP request over HTTP with protobuf, as a file. */
export interface SpoolFile {
  /** The port of the sidecar that the request is for. */
  readonly port: number;
  readonly signal: Signal;
  readonly writtenAtMs: number;
  /** Different for each file of a millisecond. */
  readonly id: string;
  /** The service still writes a `part`, and the sidecar has begun to read what is `taken`. */
  readonly state: 'part' | 'otlp' | 'taken';
}

/** The limits of a directory. Further requests are lost and counted. */
export const MAX_SPOOL_FILES = 256;
export const MAX_SPOOL_BYTES = 32 * 1024 * 1024;

const MINUTE_MS = 60_000;

/** The value of a metric is current for as long as Prometheus shows an old sample; a span or log line has its own time. */
const EXPIRES_AFTER_MS: Readonly<Record<Signal, number>> = {
  traces: 24 * 60 * MINUTE_MS,
  logs: 24 * 60 * MINUTE_MS,
  metrics: 5 * MINUTE_MS,
};

const FILE_NAME =
  /^(?<port>\d{1,5})-(?<signal>traces|metrics|logs)-(?<writtenAtMs>\d{1,15})-(?<id>[\da-f-]{36})\.(?<state>part|otlp|taken)$/;

export function spoolFileName({ port, signal, writtenAtMs, id, state }: SpoolFile): string {
  return `${port}-${signal}-${writtenAtMs}-${id}.${state}`;
}

/** Returns undefined for other files. */
export function parseSpoolFileName(name: string): SpoolFile | undefined {
  const { port, signal, writtenAtMs, id, state } = FILE_NAME.exec(name)?.groups ?? {};
  if (id === undefined) return undefined;
  return {
    port: Number(port),
    signal: signal as Signal,
    writtenAtMs: Number(writtenAtMs),
    id,
    state: state as SpoolFile['state'],
  };
}

/** The file that has one byte for each request that found no room. */
export function lostRequestsName(port: number): string {
  return `${port}.lost`;
}

/** Also true for a file of a clock that was as far ahead: it would stay for as long otherwise. */
export function isExpired({ signal, writtenAtMs }: SpoolFile, nowMs: number): boolean {
  return Math.abs(nowMs - writtenAtMs) > EXPIRES_AFTER_MS[signal];
}

/** The directory that services and sidecars of the same user share. Undefined where files have no owner. */
export function defaultSpoolDirectory(): string | undefined {
  const uid = process.getuid?.();
  return uid === undefined ? undefined : path.join(tmpdir(), `siphon-otel-spool-${uid}`);
}

/**
 * True if other users cannot put files there.
 *
 * @param isNamed true if the directory is not the default: then it may belong to a user and group that its owner chose.
 */
export function isPrivateDirectory(stats: Stats, isNamed: boolean): boolean {
  const isClosed = (stats.mode & (isNamed ? 0o002 : 0o077)) === 0;
  return stats.isDirectory() && isClosed && (isNamed || stats.uid === process.getuid?.());
}

/** True for a file that the owner of the directory wrote, and that no other user can change. */
export function isFileOf(directory: Stats, file: Stats): boolean {
  return file.isFile() && file.uid === directory.uid && file.nlink === 1 && (file.mode & 0o022) === 0;
}
