import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { Pack } from '../../../src/packs/pack.ts';

export type CommandLanguage = 'promql' | 'sql' | 'sh';

export interface RunbookCommand {
  /** The name of the alert. */
  readonly runbook: string;
  readonly language: CommandLanguage;
  readonly text: string;
  /** For `sql`: the owner if the text before it names `$OWNER_URL`, otherwise the role of the sidecar. */
  readonly role: 'owner' | 'sidecar';
}

/** The commands in the runbooks of the packs, in order. */
export function runbookCommands(packs: readonly Pack[]): RunbookCommand[] {
  return packs.flatMap(({ runbooks }) => {
    if (runbooks === undefined) return [];
    const { folder } = runbooks;
    return readdirSync(folder).flatMap((file) => commandsOf(file, readFileSync(new URL(file, folder), 'utf8')));
  });
}

function commandsOf(file: string, page: string): RunbookCommand[] {
  return [...page.matchAll(/^```(promql|sql|sh)\n(.*?)^```/gms)].map(({ index, 1: language, 2: text = '' }) => {
    const before = page.slice(0, index).trimEnd().split('\n').at(-1) ?? '';
    return {
      runbook: path.basename(file, '.md'),
      language: language as CommandLanguage,
      text: text.trim(),
      role: before.includes('$OWNER_URL') ? 'owner' : 'sidecar',
    };
  });
}
