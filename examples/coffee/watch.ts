/** Shows a running demo until it ends: a view that is redrawn every second, or one line every ten seconds without a terminal. */
import { setTimeout as sleep } from 'node:timers/promises';
import { describeSwitch, faults, keyOf } from './fault.ts';
import { liveView, plainLine, type Snapshot } from './live-view.ts';
import { scrape } from './scrape-page.ts';
import type { Demo } from './start-demo.ts';

const drawEveryMs = 1000;
const lineEveryMs = 10_000;

/** Resolves when the signal is aborted. */
export async function watch(demo: Demo, signal: AbortSignal): Promise<void> {
  const keys = new Keys(demo);
  const startedAt = performance.now();
  const { stdout } = process;
  if (!stdout.isTTY)
    stdout.write(
      `console http://127.0.0.1:${demo.ports.console}/, curl http://127.0.0.1:${demo.ports.scrape}/metrics, prometheus --config.file=${demo.prometheusFile}\n`,
    );
  try {
    for (let height = 0; !signal.aborted;) {
      const now = await look(demo, (performance.now() - startedAt) / 1000, keys.note);
      if (signal.aborted) return;
      if (stdout.isTTY) height = draw(liveView(now), height);
      else stdout.write(`${plainLine(now)}\n`);
      await pause(stdout.isTTY ? drawEveryMs : lineEveryMs, AbortSignal.any([signal, keys.nextPress()]));
    }
  } finally {
    keys.stop();
  }
}

async function look(demo: Demo, elapsedS: number, note: string): Promise<Snapshot> {
  const startedAt = performance.now();
  const page = await scrape(demo.ports.scrape).catch(() => undefined);
  const scrapeMs = performance.now() - startedAt;
  const { lastError, tallies } = demo.runs;
  return {
    elapsedS,
    ports: demo.ports,
    prometheusFile: demo.prometheusFile,
    tallies,
    page,
    scrapeMs,
    self: await scrape(demo.ports.telemetry).catch(() => undefined),
    transactions: demo.sink.transactions().length,
    errors: demo.sink.errors().length,
    lastError: lastError && { message: lastError.message, traceId: lastError.run.traceId },
    faults: demo.faults,
    note,
  };
}

/** Replaces the previous view with one write, so that it does not flicker. Returns the number of lines. */
function draw(lines: readonly string[], height: number): number {
  const { columns, rows } = process.stdout;
  const shown = lines.slice(0, Math.max(1, rows - 1)).map((line) => `${line.slice(0, columns - 1)}\u001B[K\n`);
  process.stdout.write(`${height === 0 ? '' : `\u001B[${height}A`}${shown.join('')}\u001B[J`);
  return shown.length;
}

/** Terminal keys: digits and letters switch faults; `q` and Ctrl-C send SIGINT. */
class Keys {
  note = 'npm run demo -- fault NAME on|off switches a fault; Ctrl-C ends everything';
  readonly #demo: Demo;
  #press = new AbortController();

  constructor(demo: Demo) {
    this.#demo = demo;
    if (!process.stdin.isTTY || !process.stdout.isTTY) return;
    this.note = 'keys      the key before a fault switches it, q ends everything';
    process.stdin.setRawMode(true);
    process.stdin.on('data', this.#take);
  }

  /** Aborted after the next key that switches a fault. */
  nextPress(): AbortSignal {
    this.#press = new AbortController();
    return this.#press.signal;
  }

  stop(): void {
    if (!process.stdin.isTTY) return;
    process.stdin.off('data', this.#take);
    process.stdin.setRawMode(false);
    process.stdin.pause();
  }

  readonly #take = (data: Buffer): void => {
    for (const key of data.toString()) {
      if (key === 'q' || key === '\u0003') process.kill(process.pid, 'SIGINT');
      const fault = faults.find((one) => keyOf(one) === key);
      if (fault !== undefined) void this.#toggle(fault);
    }
  };

  async #toggle(fault: (typeof faults)[number]): Promise<void> {
    const on = !this.#demo.faults.has(fault);
    this.note = `${fault} \u2026`;
    try {
      await this.#demo.setFault(fault, on);
      this.note = describeSwitch(fault, on);
    } catch (error) {
      this.note = error instanceof Error ? error.message : String(error);
    }
    this.#press.abort();
  }
}

async function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  await sleep(milliseconds, undefined, { signal }).catch((error: unknown) => {
    if (!signal.aborted) throw error;
  });
}
