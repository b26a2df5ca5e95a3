/**
 * `npm run audit`: fails if an advisory concerns a package that is in siphon's own. `npm audit` in a project that uses
 * siphon does not see the bundled ones. Without an answer from the registry it reports that, and does not fail.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { advisoriesFor, type AuditReport } from './advisories.ts';

interface Bill {
  readonly components: readonly { readonly name: string }[];
}

const { components } = JSON.parse(readFileSync('dist/sbom.cdx.json', 'utf8')) as Bill;
const { stdout } = spawnSync('npm', ['audit', '--json'], { encoding: 'utf8', timeout: 120_000 });
const advisories = advisoriesFor(new Set(components.map(({ name }) => name)), parsed(stdout));

if (advisories === undefined) {
  process.stdout.write('The registry does not answer audits, so the packages are not audited\n');
} else {
  process.stdout.write(
    [...advisories, `${advisories.length} advisories for ${components.length} packages`, ''].join('\n'),
  );
  process.exitCode = advisories.length > 0 ? 1 : 0;
}

function parsed(text: string): AuditReport {
  try {
    return JSON.parse(text) as AuditReport;
  } catch {
    return {};
  }
}
