import { commandsOf, type FencedBlock } from './fenced-blocks.ts';

/** The documents whose examples `tests/e2e/documents.test.ts` executes. */
export const EXECUTED_DOCUMENTS =
  /^(?:README|(?:docs|deploy\/\w+|examples\/shop|src\/components\/[\w/-]+)\/[\w-]+|docs\/runbooks\/README)\.md$/;

/** The programs that the commands may use, so that a test fails on one that it cannot judge. */
const PROGRAMS =
  /^(?:[A-Z_]+=\S+ )*(?:npx siphon|siphon|node|node_modules\/\.bin\/siphon-otel|psql|prometheus|cp|export)\b/;

/** The languages, each with the words that may follow: `file=NAME` writes the block to a file. */
const LANGUAGES: Readonly<Record<string, RegExp>> = {
  yaml: /^(?:|prometheus|settings)(?:^| )?(?:file=\S+)?$/,
  ts: /^file=\S+$/,
  md: /^file=\S+$/,
  sql: /^$/,
  text: /^$/,
};

/** True if the test executes the block: by its language, and for a shell by its commands. */
export function isExecuted(block: FencedBlock): boolean {
  if (block.language === 'sh') return block.info === '' && commandsOf(block).every((command) => PROGRAMS.test(command));
  return LANGUAGES[block.language]?.test(block.info) ?? false;
}
