import type { Environment } from '../collector/config/expand.ts';

/** What `main.ts`, which alone touches the process, hands to a command. */
export interface CommandContext {
  readonly environment: Environment;
  readonly version: string;
  readonly print: (text: string) => void;
  readonly printError: (text: string) => void;
  /** Whether what is printed may have colours. */
  readonly hasColours: boolean;
  /** Shows a line in place of the one before, to whoever watches; an empty one takes it away. */
  readonly showProgress: (text: string) => void;
}

export interface Command {
  /** One line for the list of commands. */
  readonly summary: string;
  /** Further options of this command alone, one line each. */
  readonly optionLines: readonly string[];
  /** Whether it takes `--config` and `--set`. */
  readonly readsConfig: boolean;
  /** Resolves with the exit code. */
  run(options: CommandOptions, context: CommandContext): Promise<number>;
}

export interface CommandOptions {
  readonly configs: readonly string[];
  readonly sets: readonly string[];
  readonly shutdownTimeoutMs: number;
}

export const EXIT_OK = 0;
export const EXIT_FAILURE = 1;
export const EXIT_USAGE = 2;
