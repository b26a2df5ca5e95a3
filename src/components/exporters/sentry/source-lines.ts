import { readFileSync, realpathSync, statSync } from 'node:fs';
import path from 'node:path';
import type { StackFrame } from './stack-trace.ts';

/** The number that Sentry's SDKs send before and after the line. */
const CONTEXT_LINES = 5;
const MAX_LINE_CHARACTERS = 200;
const MAX_FILE_BYTES = 1024 * 1024;
const MAX_CACHED_FILES = 50;

/** Files of other kinds are never read: the sender of a stack chooses the names. */
const SOURCE_FILE = /\.(?:[cm]?[jt]sx?|py|go|java|kt|scala|cs|fs|vb|rb|php|vue|svelte)$/i;

interface CachedFile {
  readonly modifiedMs: number;
  readonly lines: readonly string[];
}

/** Reads the lines around a frame, from source files within certain folders. */
export class SourceLines {
  readonly #roots: readonly string[];
  readonly #files = new Map<string, CachedFile>();

  /** @param roots folders; those that do not exist are left out. */
  constructor(roots: readonly string[]) {
    this.#roots = roots.flatMap((root) => attempt(() => [realpathSync(root) + path.sep]) ?? []);
  }

  /** The frame with `pre_context`, `context_line` and `post_context`, if it is of the service and its file can be read. */
  addTo(frame: StackFrame): StackFrame {
    const { filename, lineno, in_app: isOfService } = frame;
    if (this.#roots.length === 0 || isOfService !== true) return frame;
    if (typeof filename !== 'string' || typeof lineno !== 'number') return frame;
    const lines = attempt(() => this.#linesOf(filename));
    const line = lines?.[lineno - 1];
    if (lines === undefined || line === undefined) return frame;
    const part = (start: number, end: number): string[] => lines.slice(Math.max(start, 0), end).map(shortened);
    return {
      ...frame,
      pre_context: part(lineno - 1 - CONTEXT_LINES, lineno - 1),
      context_line: shortened(line),
      post_context: part(lineno, lineno + CONTEXT_LINES),
    };
  }

  /** @throws Error if the file cannot be read. */
  #linesOf(filename: string): readonly string[] | undefined {
    if (!path.isAbsolute(filename) || !SOURCE_FILE.test(filename)) return undefined;
    const file = realpathSync(filename);
    if (!SOURCE_FILE.test(file) || !this.#roots.some((root) => file.startsWith(root))) return undefined;
    const { mtimeMs, size } = statSync(file);
    if (size > MAX_FILE_BYTES) return undefined;
    const known = this.#files.get(file);
    if (known?.modifiedMs === mtimeMs) return known.lines;
    const lines = readFileSync(file, 'utf8').split(/\r?\n/);
    if (this.#files.size >= MAX_CACHED_FILES) this.#files.clear();
    this.#files.set(file, { modifiedMs: mtimeMs, lines });
    return lines;
  }
}

function shortened(line: string): string {
  return line.length <= MAX_LINE_CHARACTERS ? line : `${line.slice(0, MAX_LINE_CHARACTERS)}…`;
}

/** A file that is missing or not readable has no lines. */
function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
