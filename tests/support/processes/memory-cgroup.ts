import { mkdirSync, rmdirSync, writeFileSync } from 'node:fs';

/** A control group that limits the memory of a process. Linux, as root. */
export class MemoryCgroup implements Disposable {
  readonly #directory: string;

  private constructor(directory: string) {
    this.#directory = directory;
  }

  /** Undefined if this machine does not allow it. */
  static create(limitBytes: number): MemoryCgroup | undefined {
    const name = `siphon-${process.pid}-${Date.now()}`;
    for (const [root, file] of [
      ['/sys/fs/cgroup/memory', 'memory.limit_in_bytes'],
      ['/sys/fs/cgroup', 'memory.max'],
    ] as const) {
      const cgroup = new MemoryCgroup(`${root}/${name}`);
      try {
        mkdirSync(cgroup.#directory);
        writeFileSync(`${cgroup.#directory}/${file}`, String(limitBytes));
        return cgroup;
      } catch {
        cgroup[Symbol.dispose]();
      }
    }
    return undefined;
  }

  /** The shell command with which a process enters the group. */
  get enter(): string {
    return `echo $$ > ${this.#directory}/cgroup.procs`;
  }

  [Symbol.dispose](): void {
    try {
      rmdirSync(this.#directory);
    } catch {
      // It does not exist, or the system removes it later.
    }
  }
}
