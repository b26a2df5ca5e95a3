/**
 * Bundles the command into `dist/main.js` with a chunk for each part that is loaded on demand, and the preload into
 * `dist/sdk/preload.cjs`, so that Node reads and compiles few files. The reasons and figures:
 * docs/decisions/0007-bundle-the-command.md. The page of the dashboards goes into `dist/console`.
 */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, realpathSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { defineConfig, type OutputBundle, type OutputChunk, type Plugin } from 'rolldown';
import { DATA_PLACE } from './src/console/incident/recording.ts';
import manifest from './package.json' with { type: 'json' };
import { billOfMaterials, type Part } from './scripts/supply-chain/bill-of-materials.ts';

/**
 * An `import` of a built-in module reads each of its exports, and the one of `http` named `WebSocket` loads undici when it
 * is read: several megabytes that stay resident without use.
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
    const folders = packageFoldersIn(bundle);
    // Many packages share the text of their licence.
    const byText = Map.groupBy([...folders].toSorted().map(noticeOf), ({ text }) => text);
    const source = [...byText]
      .map(([text, notices]) => `${notices.map(({ title }) => title).join('\n')}\n\n${text}\n`)
      .join(`\n${'-'.repeat(80)}\n\n`);
    this.emitFile({ type: 'asset', fileName: 'THIRD-PARTY-NOTICES', source });
  },
};

const lockFile = JSON.parse(readFileSync('package-lock.json', 'utf8')) as {
  readonly packages: Readonly<Record<string, { readonly integrity?: string } | undefined>>;
};

/** The bundles so far: each adds its packages and writes the whole bill. */
const bundledFolders = new Set<string>();

const softwareBill: Plugin = {
  name: 'software-bill',
  generateBundle(_options, bundle) {
    for (const folder of packageFoldersIn(bundle)) bundledFolders.add(folder);
  },
  writeBundle() {
    const declared = Object.keys(manifest.dependencies).map((name) =>
      partIn(path.resolve('node_modules', name), false),
    );
    const bundled = [...bundledFolders].map((folder) => partIn(folder, true));
    const parts = new Map([...declared, ...bundled].map((part) => [`${part.name}@${part.version}`, part]));
    writeFileSync(
      'dist/sbom.cdx.json',
      `${JSON.stringify(billOfMaterials(manifest, [...parts.values()]), undefined, 2)}\n`,
    );
  },
};

function partIn(folder: string, isBundled: boolean): Part {
  const { name, version, license } = JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8')) as Part;
  // `node_modules` may be a link.
  const inModules = path.relative(realpathSync('node_modules'), realpathSync(folder));
  const integrity = lockFile.packages[path.join('node_modules', inModules)]?.integrity ?? '';
  return { name, version, license, integrity, isBundled };
}

function packageFoldersIn(bundle: OutputBundle): ReadonlySet<string> {
  const chunks = Object.values(bundle).filter((file) => file.type === 'chunk');
  const modules = chunks.flatMap((chunk) => Object.keys(chunk.modules));
  return new Set(modules.flatMap((id) => PACKAGE_FOLDER.exec(id)?.[0] ?? []));
}

const PACKAGE_FOLDER = /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+/;

function noticeOf(folder: string): { readonly title: string; readonly text: string } {
  const read = (file: string): string => readFileSync(path.join(folder, file), 'utf8');
  const { name, version, license } = JSON.parse(read('package.json')) as Record<string, string>;
  // Some packages have a folder of licences too.
  const files = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /^(?:|licenses)$/i.test(path.relative(folder, entry.parentPath)))
    .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)));
  const notices = files.filter((file) => /^(?:licen[cs]es?|notice)/i.test(file)).map(read);
  // Some packages have theirs at the end of the README.
  const inReadme = files
    .filter((file) => /^readme/i.test(file))
    .map((file) => /^#+ *licen[cs]e[^]*/im.exec(read(file))?.[0]);
  const text = notices.length > 0 ? notices.join('\n') : inReadme[0];
  if (text === undefined) throw new Error(`${name} is bundled, but its licence is nowhere in ${folder}`);
  return { title: `${name} ${version} (${license})`, text: text.trim() };
}

/** The exports of the gRPC client that the exporters use. */
const GRPC_EXPORTS = ['credentials', 'makeGenericClientConstructor', 'Metadata', 'status'];

/** OTLP over gRPC has its client in a file of its own, so that services which export over HTTP do not read it. */
const grpcOnDemand: Plugin = {
  name: 'grpc-on-demand',
  resolveId: {
    filter: { id: /^@grpc\/grpc-js$/ },
    handler: (_id, importer) => (importer === undefined ? undefined : '\0grpc'),
  },
  load: {
    filter: { id: /^\0grpc$/ },
    handler: () => `
      const load = () => process.getBuiltinModule('node:module').createRequire(__filename)('./grpc.cjs');
      for (const name of ${JSON.stringify(GRPC_EXPORTS)}) {
        Object.defineProperty(exports, name, { enumerable: true, get: () => load()[name] });
      }`,
  },
  transform: {
    filter: { id: /otlp-grpc-exporter-base/, code: /\b__require\("@grpc\/grpc-js"\)/ },
    handler: (code) =>
      `import * as grpcOnDemand from '@grpc/grpc-js';\n${code.replaceAll(/\b__require\("@grpc\/grpc-js"\)/g, 'grpcOnDemand')}`,
  },
};

/**
 * An `import()` of a built-in module reads each of its exports, and one of `http` loads undici. Services that do not use it
 * would pay for it at each start.
 */
const builtinsWithoutFacades: Plugin = {
  name: 'builtins-without-facades',
  transform: {
    filter: { id: /otlp-exporter-base/, code: /\bimport\("https?"\)/ },
    handler: (code) => code.replaceAll(/\bimport\(("https?")\)/g, 'process.getBuiltinModule($1)'),
  },
};

const CIRCLES = '/* @__PURE__ */ new WeakSet()';

/**
 * The SDK looks for circles in each value of an attribute, twice for those of a new span. A weak set costs the collector of
 * garbage more than all other work for a request, and only objects need one.
 */
const fewWeakSets: Plugin = {
  name: 'few-weak-sets',
  transform: {
    filter: { id: /@opentelemetry\/core\/dist\/common\/attributes\.mjs$/ },
    handler: (code) => {
      if (!code.includes(CIRCLES)) throw new Error('The SDK checks values of attributes in another way');
      return code.replace(CIRCLES, `typeof val === 'object' && ${CIRCLES}`);
    },
  },
};

/** The page of `siphon dashboards preview`: besides its script, the document and the styles. */
const pageFiles: Plugin = {
  name: 'page-files',
  generateBundle() {
    const source = ['node_modules/uplot/dist/uPlot.min.css', `${PAGE}console.css`].map(textOf).join('\n');
    this.emitFile({ type: 'asset', fileName: 'console.css', source });
    this.emitFile({ type: 'asset', fileName: 'index.html', source: textOf(`${PAGE}index.html`) });
  },
};

/** The page of an incident file: one document, which may run only its own script, and connect to nothing. */
const incidentPage: Plugin = {
  name: 'incident-page',
  generateBundle(_options, bundle) {
    const script = (bundle['incident.js'] as OutputChunk).code;
    if (/<\/?script|<!--[^]*<script/i.test(script)) throw new Error('The script would end its element');
    const hash = createHash('sha256').update(script).digest('base64');
    const policy = `default-src 'none'; script-src 'sha256-${hash}'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'`;
    const styles = ['node_modules/uplot/dist/uPlot.min.css', `${PAGE}console.css`].map(textOf).join('\n');
    const source = textOf(`${PAGE}index.html`)
      .replace(
        '<meta charset="utf-8" />',
        (meta) => `${meta}\n    <meta http-equiv="Content-Security-Policy" content="${policy}" />`,
      )
      .replace('<link rel="stylesheet" href="/console.css" />', () => `<style>${styles}</style>`)
      .replace(
        '<script type="module" src="/console.js"></script>',
        () =>
          `<script type="application/octet-stream" id="recording">${DATA_PLACE}</script>\n    <script type="module">${script}</script>`,
      );
    delete bundle['incident.js'];
    this.emitFile({ type: 'asset', fileName: 'incident.html', source });
  },
};

const PAGE = 'src/console/browser/';

function textOf(file: string): string {
  return readFileSync(file, 'utf8');
}

/** A preload exports nothing, but TypeScript wants to resolve its import. */
const emptyTypes: Plugin = {
  name: 'empty-types',
  generateBundle() {
    this.emitFile({ type: 'asset', fileName: 'preload.d.cts', source: 'export {};\n' });
  },
};

/** Rewrites syntax that the oldest Node.js of `engines` does not know, such as `await using`. */
const oldestNode = { target: `node${/[\d.]+/.exec(manifest.engines.node)![0]}` };

export default defineConfig([
  {
    input: 'src/main.ts',
    platform: 'node',
    transform: oldestNode,
    // The public entries need the API as a package; in the sidecar its modules would take 7 to 9 MiB.
    external: Object.keys(manifest.dependencies).filter((name) => name !== '@opentelemetry/api'),
    plugins: [httpWithoutUndici, thirdPartyNotices, softwareBill],
    output: { dir: 'dist', chunkFileNames: 'chunks/[name].js' },
  },
  {
    input: {
      preload: 'src/sdk/preload.ts',
      'service-observer': 'src/sdk/service-observer.ts',
      'last-delivery': 'src/sdk/last-delivery.ts',
      grpc: '@grpc/grpc-js',
    },
    platform: 'node',
    transform: oldestNode,
    plugins: [grpcOnDemand, builtinsWithoutFacades, fewWeakSets, thirdPartyNotices, softwareBill, emptyTypes],
    output: {
      dir: 'dist/sdk',
      format: 'cjs',
      comments: false,
      entryFileNames: '[name].cjs',
      chunkFileNames: 'chunks/[name].cjs',
    },
  },
  {
    input: { console: `${PAGE}main.ts` },
    platform: 'browser',
    tsconfig: false,
    plugins: [softwareBill, pageFiles],
    output: { dir: 'dist/console', minify: true, chunkFileNames: '[name].js' },
  },
  {
    input: { incident: `${PAGE}incident.ts` },
    platform: 'browser',
    tsconfig: false,
    // Its packages include those of the page.
    plugins: [thirdPartyNotices, softwareBill, incidentPage],
    output: { dir: 'dist/console', minify: true, codeSplitting: false },
  },
]);
