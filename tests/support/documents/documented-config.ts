import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { load } from 'js-yaml';
import { DEFAULT_PORTS, defaultConfig } from '../../../src/cli/default-config.ts';
import { componentFactories } from '../../../src/components/index.ts';
import { packs } from '../../../src/packs/index.ts';
import { siphon } from '../processes/run-built-command.ts';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const factories = componentFactories(packs);
const SIGNALS = ['metrics', 'traces', 'logs'] as const;
type Signal = (typeof SIGNALS)[number];

/** A pack as the pages describe it, with a setting and a query of its own. */
const SHOP_PACK = `
import { definePack, metricColumns, packQueries } from '${root}dist/packs/pack.js';
import * as v from '${root}node_modules/valibot/dist/index.mjs';

const metrics = {
  shop_orders: { source: 'poller', kind: 'gauge', name: 'shop.orders', unit: '{order}', description: 'x', labels: {} },
};
const orders = {
  needs: { orders: ['id'] },
  metrics: metricColumns(metrics, { shop_orders: 'sum' }),
  statement: ({ table }) => ({ text: \`select count(*) as shop_orders from \${table('orders')}\` }),
};
const database = packQueries({
  settings: v.strictObject({ schema: v.optional(v.string(), 'public') }),
  names: { gauges: ['orders'], counters: [] },
  create: ({ schema }) => ({ schema, gauges: { orders }, counters: {} }),
});
export default definePack({ name: 'shop', description: 'Orders', metrics, database });
`;

type Section = Readonly<Record<string, unknown>>;
interface Fragment {
  readonly receivers?: Section;
  readonly processors?: Section;
  readonly exporters?: Section;
  readonly extensions?: Section;
  readonly service?: { readonly extensions?: readonly string[]; readonly pipelines?: Section };
}

/** Returns what `siphon validate` reports about a configuration, or a part of one; empty if it is valid. */
export async function problemsOf(text: string): Promise<string> {
  const written = inPlace(text);
  const folder = await mkdtemp(path.join(tmpdir(), 'siphon-documented-'));
  try {
    const [fragment, rest] = [path.join(folder, 'fragment.yaml'), path.join(folder, 'rest.yaml')];
    await writeFile(path.join(folder, 'shop-pack.ts'), SHOP_PACK);
    await writeFile(fragment, written);
    await writeFile(rest, JSON.stringify(restOf(load(written) as Fragment, folder)));
    const variables = Array.from(written.matchAll(/\$\{env:(\w+)/g), ([, name = '']) => [name, valueOf(name)] as const);
    const lost = extensionsOfInit.filter((id) => replacesExtensionsWithout(id, load(written) as Fragment));
    if (lost.length > 0) return `${written}\nadded to the file of siphon init, it removes ${lost.join(', ')}`;
    const { exitCode, stdout, stderr } = await siphon(
      ['validate', '--config', rest, '--config', fragment],
      Object.fromEntries(variables),
    );
    return exitCode === 0 ? '' : `${written}\n${stdout}${stderr}`;
  } finally {
    await rm(folder, { recursive: true });
  }
}

const options = { hasDatabase: true, keepsState: true, ports: DEFAULT_PORTS };
const extensionsOfInit = (load(defaultConfig(options)) as Fragment).service?.extensions ?? [];

function replacesExtensionsWithout(id: string, { service }: Fragment): boolean {
  return service?.extensions?.includes(id) === false;
}

/** `packs` and `queries` are keys of a poller. */
function inPlace(text: string): string {
  if (!/^(?:packs|queries):/m.test(text)) return text;
  const poller = 'receivers:\n  db_poller:\n    datasource: postgresql://127.0.0.1/shop\n';
  return poller + text.replaceAll(/^/gm, '    ');
}

function valueOf(variable: string): string {
  if (/_DSN(?:_|$)/.test(variable)) return 'https://key@sentry.example.com/1';
  if (variable.endsWith('WEBHOOK_URL')) return 'https://hooks.example.com/services/secret';
  return variable.endsWith('_URL') ? 'postgresql://siphon@127.0.0.1/shop' : 'secret';
}

/** Pipelines for the components, a storage, and the other end of each pipeline. */
function restOf({ receivers = {}, processors = {}, exporters = {}, service = {} }: Fragment, folder: string): object {
  const sections = [receivers, processors, exporters];
  const signals = SIGNALS.filter((signal) => sections.some((section) => idsFor(section, signal).length > 0));
  const pipelines = (signals.length > 0 ? signals : SIGNALS).map((signal) => [
    signal,
    {
      receivers: orElse(idsFor(receivers, signal), 'otlp'),
      processors: idsFor(processors, signal),
      exporters: orElse(idsFor(exporters, signal), 'debug'),
    },
  ]);
  return {
    receivers: {
      ...('db_poller' in receivers && { db_poller: { datasource: 'postgresql://127.0.0.1/shop' } }),
      otlp: { protocols: { http: { endpoint: '127.0.0.1:4318' } } },
    },
    // A fragment with pipelines of its own uses components of the default configuration.
    ...(service.pipelines !== undefined && {
      processors: { memory_limiter: { check_interval: '1s', limit_mib: 512 }, batch: {} },
    }),
    exporters: {
      debug: {},
      ...(service.pipelines !== undefined && {
        prometheus: { endpoint: '127.0.0.1:8000' },
        sentry: { dsn: 'https://key@sentry.example.com/1' },
      }),
    },
    extensions: { file_storage: { directory: folder }, health_check: {}, metrics_history: {}, console: {} },
    service: {
      extensions: [...new Set(['file_storage', ...(service.extensions ?? [])])],
      pipelines: service.pipelines ?? Object.fromEntries(pipelines),
    },
  };
}

function idsFor(section: Section, signal: Signal): string[] {
  return Object.keys(section).filter((id) => {
    const type = id.split('/')[0];
    const factory = factories.find((one) => one.type === type || one.aliases?.includes(type ?? '') === true);
    return factory === undefined || factory.signals.includes(signal);
  });
}

function orElse(ids: readonly string[], other: string): readonly string[] {
  return ids.length > 0 ? ids : [other];
}
