/** `npm run generate`: writes docs/metrics.md; with `--check` it only says whether the file is what it would write. */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { metricsDocument } from './metrics-document.ts';

const file = fileURLToPath(new URL('../../docs/metrics.md', import.meta.url));
const text = metricsDocument();

if (!process.argv.includes('--check')) {
  writeFileSync(file, text);
} else if (readFileSync(file, 'utf8') !== text) {
  process.stderr.write('docs/metrics.md differs from the catalogue: run npm run generate\n');
  process.exitCode = 1;
}
