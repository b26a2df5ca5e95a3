import type { ConfigProblem } from '../engine/config/config-error.ts';
import type { ConfigNode, MappingNode } from '../engine/config/config-node.ts';
import { suggest } from '../engine/config/nearest-name.ts';
import { PromqlError } from '../promql/promql-error.ts';
import { RuleError } from './rule-error.ts';

/** Collects the mistakes of a rule file, each with its line and with the group and the rule that it belongs to. */
export class RuleProblems {
  readonly all: ConfigProblem[] = [];
  readonly #within: string[] = [];

  /** The problems until the returned function is called belong to a part of the file. */
  enter(part: string): () => void {
    this.#within.push(part);
    return () => void this.#within.pop();
  }

  add({ place }: ConfigNode, problem: string): void {
    this.all.push({ place, path: [], message: [...this.#within, problem].join(': ') });
  }

  addUnknownKeys(node: MappingNode, known: readonly string[]): void {
    for (const [key, value] of node.entries) {
      if (known.includes(key)) continue;
      this.add(value, `${key} is not supported here${suggest(key, known)}; known are ${known.join(', ')}`);
    }
  }

  /** @returns undefined if it has a mistake. */
  attempt<T>(at: ConfigNode, what: string, read: () => T): T | undefined {
    try {
      return read();
    } catch (error) {
      if (!(error instanceof RuleError) && !(error instanceof PromqlError)) throw error;
      this.add(at, `${what}: ${error.message}`);
      return undefined;
    }
  }
}
