/**
 * Bundles the command into `dist/main.js` and a chunk for each part that is loaded on demand: what is not there need not
 * be read, compiled and kept. The reasons and figures: docs/decisions/0007-bundle-the-command.md.
 */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { defineConfig, type Plugin } from 'rolldown';
import manifest from './package.json' with { type: 'json' };

/** What costs much as hundreds of modules of its own; the other dependencies stay what npm installs. */
const BUNDLED = /^(?:@opentelemetry\/|pg$)/;

/**
 * An `import` of a built-in module reads each of its exports, and the one of `http` named `WebSocket` loads undici when it
 * is read: megabytes that stay resident and that nobody uses.
 */
const httpWithoutUndici: Plugin = {
  name: 'http-without-undici',
  resolveId: { filter: { id: /^(?:node:)?http$/ }, handler: () => '\0http' },
  load: { filter: { id: /^\0http$/ }, handler: () => "module.exports = process.getBuiltinModule('node:http');" },
};

/** Their licences ask that the notice goes with the code. */
const thirdPartyNotices: Plugin = {
  name: 'third-party-notices',
  generateBundle(_options, bundle) {
    const chunks = Object.values(bundle).filter((file) => file.type === 'chunk');
    const modules = chunks.flatMap((chunk) => Object.keys(chunk.modules));
    const folders = new Set(modules.flatMap((id) => PACKAGE_FOLDER.exec(id)?.[0] ?? []));
    const source = [...folders]
      .toSorted()
      .map(noticeOf)
      .join(`\n${'-'.repeat(80)}\n\n`);
    this.emitFile({ type: 'asset', fileName: 'THIRD-PARTY-NOTICES', source });
  },
};

const PACKAGE_FOLDER = /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+/;

function noticeOf(folder: string): string {
  const read = (file: string): string => readFileSync(path.join(folder, file), 'utf8');
  const { name, version, license } = JSON.parse(read('package.json')) as Record<string, string>;
  const files = readdirSync(folder);
  const notices = files.filter((file) => /^(?:licen[cs]e|notice)/i.test(file)).map(read);
  // Some packages have theirs at the end of the README.
  const inReadme = files
    .filter((file) => /^readme/i.test(file))
    .map((file) => /^#+ *licen[cs]e[^]*/im.exec(read(file))?.[0]);
  const text = notices.length > 0 ? notices.join('\n') : inReadme[0];
  if (text === undefined) throw new Error(`${name} is bundled, but its licence is nowhere in ${folder}`);
  return `${name} ${version} (${license})\n\n${text.trim()}\n`;
}

export default defineConfig({
  input: 'src/main.ts',
  platform: 'node',
  external: Object.keys(manifest.dependencies).filter((name) => !BUNDLED.test(name)),
  plugins: [httpWithoutUndici, thirdPartyNotices],
  output: { dir: 'dist', chunkFileNames: 'chunks/[name].js' },
});
