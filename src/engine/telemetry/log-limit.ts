import type { TelemetryConfig } from '../collector-config.ts';

export type LogSampling = NonNullable<TelemetryConfig['logs']['sampling']>;

/** The lines that one period has suppressed. */
export interface Suppressed {
  readonly lines: number;
  /** The messages with the most suppressed lines, and their number. */
  readonly messages: Readonly<Record<string, number>>;
}

/** For all messages of one level together. */
const LINES_PER_SECOND = 100;
const REPORTED_MESSAGES = 10;

/**
 * Limits the log lines of each period, so that a sender cannot fill the log or its disk: the lines of one message, and
 * those of one level, so that a flood of warnings suppresses no error. What it suppresses is counted and reported.
 */
export class LogLimit {
  readonly #sampling: LogSampling;
  readonly #maxLinesOfLevel: number;
  readonly #report: (suppressed: Suppressed) => void;
  #levels = new Map<number, LevelLines>();
  #periodEndMs = 0;
  #suppressed = 0;
  #timer: NodeJS.Timeout | undefined;

  /** @param report called at the end of each period with suppressed lines. May log. */
  constructor(sampling: LogSampling, report: (suppressed: Suppressed) => void) {
    this.#sampling = sampling;
    this.#maxLinesOfLevel = Math.max(sampling.initial, (LINES_PER_SECOND * sampling.tickMs) / 1000);
    this.#report = report;
  }

  /** The number of suppressed lines since the start. */
  get suppressed(): number {
    return this.#suppressed;
  }

  /** False if the line must not be written. Counts it in both cases. */
  allows(level: number, message: string): boolean {
    const nowMs = performance.now();
    if (nowMs >= this.#periodEndMs) {
      this.finish();
      this.#periodEndMs = nowMs + this.#sampling.tickMs;
    }
    const lines = this.#levels.get(level) ?? { written: 0, suppressed: 0, ofMessages: new Map() };
    this.#levels.set(level, lines);
    if (this.#isWithin(lines, message)) return true;
    this.#suppressed++;
    this.#timer ??= setTimeout(() => this.finish(), this.#periodEndMs - nowMs).unref();
    return false;
  }

  /** Ends the period early. To be called when the process ends. */
  finish(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#periodEndMs = 0;
    const levels = [...this.#levels.values()];
    // First, because the report is a line too.
    this.#levels = new Map();
    const lines = levels.reduce((sum, { suppressed }) => sum + suppressed, 0);
    if (lines > 0) this.#report({ lines, messages: mostSuppressed(levels) });
  }

  #isWithin(lines: LevelLines, message: string): boolean {
    const ofMessage = lines.ofMessages.get(message) ?? { written: 0, suppressed: 0 };
    const isAllowed = lines.written < this.#maxLinesOfLevel && this.#isSampled(ofMessage);
    // Messages that all differ must not fill the memory.
    if (isAllowed) lines.ofMessages.set(message, ofMessage);
    for (const count of [lines, ofMessage]) count[isAllowed ? 'written' : 'suppressed']++;
    return isAllowed;
  }

  #isSampled({ written, suppressed }: LineCount): boolean {
    const { initial, thereafter } = this.#sampling;
    const beyond = written + suppressed + 1 - initial;
    return beyond <= 0 || (thereafter > 0 && beyond % thereafter === 0);
  }
}

interface LineCount {
  written: number;
  suppressed: number;
}

interface LevelLines extends LineCount {
  /** Contains the messages with written lines. */
  readonly ofMessages: Map<string, LineCount>;
}

function mostSuppressed(levels: readonly LevelLines[]): Readonly<Record<string, number>> {
  const counts = levels.flatMap(({ ofMessages }) => [...ofMessages]);
  const suppressed = counts.filter(([, count]) => count.suppressed > 0);
  const most = suppressed.toSorted(([, a], [, b]) => b.suppressed - a.suppressed).slice(0, REPORTED_MESSAGES);
  return Object.fromEntries(most.map(([message, count]) => [message, count.suppressed]));
}
