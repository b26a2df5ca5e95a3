import { filesWithProse, proseFindings } from './prose.ts';

// Usage: node tests/repository/prose-report.ts [FOLDER …] [--texts]
const folders = process.argv.slice(2).filter((argument) => !argument.startsWith('--'));
const textsOnly = process.argv.includes('--texts');

const findings = (folders.length > 0 ? folders : ['.'])
  .flatMap(filesWithProse)
  .flatMap(proseFindings)
  .filter(({ kind }) => kind === 'text' || !textsOnly);

for (const { file, line, kind, found, instead } of findings) {
  process.stdout.write(`${file}:${line}: ${kind}: "${found}": ${instead}\n`);
}
process.stdout.write(`${findings.length} found\n`);
