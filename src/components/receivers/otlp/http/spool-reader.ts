import { constants } from 'node:fs';
import { lstat, open, readdir, rename, rm, type FileHandle } from 'node:fs/promises';
import type { Stats } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ComponentSettings, Signal } from '../../../../engine/component.ts';
import { Incident } from '../../../../engine/incident.ts';
import {
  isExpired,
  isFileOf,
  isPrivateDirectory,
  lostRequestsName,
  parseSpoolFileName,
  spoolFileName,
  type SpoolFile,
} from '../../../../engine/otlp/spool-file.ts';
import { spoolOutcomes } from '../../../../metrics/reasons.ts';
import { sidecarMetrics } from '../../../../metrics/self.ts';
import { rejectTooLarge, RpcCode, type SizeLimit } from '../rejection.ts';
import type { RequestIntake } from '../request-intake.ts';

type SpoolOutcome = (typeof spoolOutcomes)[number];

export interface SpoolSettings {
  readonly directory: string;
  /** True if the configuration names the directory. */
  readonly isNamed: boolean;
  readonly intake: RequestIntake;
  readonly size: SizeLimit;
}

const SCAN_INTERVAL_MS = 5000;
/** More than a service leaves. The rest waits for the next scan. */
const MAX_FILES = 1000;
/** More requests than a service can lose before it ends. */
const MAX_LOST = 1_000_000;
/** A directory with the name of a file must not stay in the way of the files. Links are removed, not followed. */
const REMOVE = { force: true, recursive: true };

/**
 * Reads the requests that services left in files because nothing listened, one at a time and oldest first. A file is deleted
 * when the pipelines have accepted or rejected its request, so a crash before that repeats the request.
 */
export class SpoolReader {
  readonly #settings: SpoolSettings;
  readonly #logger: ComponentSettings['logger'];
  /** A reload of the configuration changes it. */
  readonly #signals: ReadonlySet<Signal>;
  readonly #incident: Incident;
  readonly #count: (outcome: SpoolOutcome, files?: number) => void;
  readonly #stop = new AbortController();
  #running: Promise<void> | undefined;

  constructor({ logger, metrics, signals }: ComponentSettings, settings: SpoolSettings) {
    this.#settings = settings;
    this.#logger = logger;
    this.#signals = signals;
    this.#incident = new Incident(logger, {
      failing: 'The files that services leave cannot be read',
      recovered: 'The files that services leave are read again',
    });
    const counter = metrics.counter(sidecarMetrics.siphon_receiver_spool_files);
    for (const outcome of spoolOutcomes) counter.startAtZero({ outcome });
    this.#count = (outcome, files = 1) => counter.add(files, { outcome });
  }

  /** @param port the port that the services send to. */
  start(port: number): void {
    this.#running = this.#run(port);
  }

  /** Resolves when the file that is read now is finished. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  async #run(port: number): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      try {
        await this.#scan(port);
        this.#incident.succeeded();
      } catch (error) {
        this.#incident.failed(error);
      }
      await sleep(SCAN_INTERVAL_MS, undefined, { signal, ref: false }).catch(() => undefined);
    }
  }

  async #scan(port: number): Promise<void> {
    const { directory, isNamed } = this.#settings;
    const found = await lstat(directory).catch(undefinedIfMissing);
    if (found === undefined) return;
    if (!isPrivateDirectory(found, isNamed))
      throw new Error(`${directory} must be a directory that others cannot write`);
    await this.#countLost(port, found);
    const files = (await readdir(directory))
      .flatMap((name) => parseSpoolFileName(name) ?? [])
      .filter((file) => file.port === port)
      .toSorted((a, b) => a.writtenAtMs - b.writtenAtMs)
      .slice(0, MAX_FILES);
    const accepted = await this.#takeAll(files, found);
    if (accepted > 0) this.#logger.info({ files: accepted }, 'Accepted the files that services left');
  }

  /** Returns the number of accepted files. Ends with the first that the pipelines cannot accept now. */
  async #takeAll(files: readonly SpoolFile[], directory: Stats): Promise<number> {
    let accepted = 0;
    for (const file of files) {
      if (this.#stop.signal.aborted) break;
      const outcome = await this.#take(file, directory);
      if (outcome === 'refused') break;
      if (outcome === undefined) continue;
      await rm(this.#path(outcome === 'expired' ? file : { ...file, state: 'taken' }), REMOVE);
      this.#count(outcome);
      if (outcome === 'accepted') accepted++;
    }
    return accepted;
  }

  /** Returns undefined for a file that is left where it is. */
  async #take(file: SpoolFile, directory: Stats): Promise<SpoolOutcome | 'refused' | undefined> {
    if (isExpired(file, Date.now())) return 'expired';
    if (file.state === 'part' || !this.#signals.has(file.signal)) return undefined;
    const taken = this.#path({ ...file, state: 'taken' });
    // A directory from which the file could not be deleted fails here, before the request is accepted.
    const isHere = await rename(this.#path(file), taken).then(() => true, undefinedIfMissing);
    if (isHere === undefined) return undefined;
    // Does not follow a link, and does not wait for the writer of a pipe.
    await using handle = await open(taken, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK).catch(
      undefinedIfUnreadable,
    );
    const found = await handle?.stat();
    if (handle === undefined || found === undefined || !isFileOf(directory, found)) return 'untrusted';
    const { intake, size } = this.#settings;
    try {
      if (found.size > size.maxBytes) throw rejectTooLarge(size);
      await intake.take(file.signal, await firstBytes(handle, found.size));
      return 'accepted';
    } catch (error) {
      return intake.reject(error).code === RpcCode.unavailable ? 'refused' : 'rejected';
    }
  }

  /** Adds the requests that found no room, and removes their file. */
  async #countLost(port: number, directory: Stats): Promise<void> {
    const file = path.join(this.#settings.directory, lostRequestsName(port));
    const found = await lstat(file).catch(undefinedIfMissing);
    if (found === undefined) return;
    await rm(file, REMOVE);
    if (isFileOf(directory, found) && found.size <= MAX_LOST) this.#count('lost', found.size);
    else this.#count('untrusted');
  }

  #path(file: SpoolFile): string {
    return path.join(this.#settings.directory, spoolFileName(file));
  }
}

/** Reads no more than was checked, also if the file still grows. */
async function firstBytes(handle: FileHandle, size: number): Promise<Buffer> {
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(size), 0, size, 0);
  return buffer.subarray(0, bytesRead);
}

function undefinedIfMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error;
}

/** A link, or a file without the right to read it. */
function undefinedIfUnreadable(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ELOOP' && error.code !== 'EACCES') throw error;
}
