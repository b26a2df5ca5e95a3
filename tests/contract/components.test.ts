import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { hostWith } from '../support/components/host-with.ts';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as v from 'valibot';
import { afterAll, describe, expect, it } from 'vitest';
import type { Component, ComponentSettings, Consumer, Factory } from '../../src/engine/component.ts';
import { ComponentLedger } from '../../src/engine/account.ts';
import { SECTION_OF } from '../../src/engine/config/read-components.ts';
import { childOf, toValue } from '../../src/engine/config/config-node.ts';
import { parseYaml } from '../../src/engine/config/parse-yaml.ts';
import { everyKey } from './every-key.ts';
import { componentFactories } from '../../src/components/index.ts';
import { packs as builtInPacks } from '../../src/packs/index.ts';
import { spansBatch } from '../support/components/batches.ts';
import { findingsOf } from '../support/components/findings.ts';
import { logLines } from '../support/components/log-lines.ts';
import { noMetrics } from '../support/components/no-metrics.ts';
import { SinkExporter } from '../support/components/sink-exporter.ts';
import { waitFor } from '../support/wait-for.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const nowhere: Consumer = { consume: async () => undefined };
const unusedDirectory = mkdtempSync(join(tmpdir(), 'siphon-contract-'));
afterAll(() => rmSync(unusedDirectory, { recursive: true }));

const host = hostWith();

const factories = componentFactories(builtInPacks);

describe.each(factories.map((factory) => [`${factory.kind} ${factory.type}`, factory] as const))('%s', (_, factory) => {
  it('has a README that names every option', () => {
    const readme = readmeOf(factory);
    const missing = everyKey(factory.config).filter((path) => !new RegExp(`\\b${path.at(-1)}\\b`).test(readme));
    expect(missing.map((path) => path.join('::'))).toEqual([]);
  });

  it('shows an example in its README that its schema takes', async () => {
    expect((await v.safeParseAsync(factory.config, exampleOf(factory))).issues).toBeUndefined();
  });

  it('refuses an unknown key and names it', async () => {
    const { issues } = await v.safeParseAsync(factory.config, { ...exampleOf(factory), no_such_key: 1 });
    expect(issues?.map((issue) => v.getDotPath(issue))).toContain('no_such_key');
  });

  it('can be shut down without a start, and twice', async () => {
    const component = await create(factory);
    await component.shutdown(AbortSignal.timeout(1000));
    await component.shutdown(AbortSignal.timeout(1000));
  });

  it('leaves no timer or socket after start and shutdown', async () => {
    const before = resources();
    const component = await create(factory);
    await component.start(host);
    await component.shutdown(AbortSignal.timeout(2000));
    await waitFor(() => resources().length <= before.length, {
      timeoutMs: 3000,
      what: `an end of ${resources().join()}`,
    });
  });

  it.skipIf(factory.diagnose === undefined)('reports findings in single lines, and leaves nothing open', async () => {
    const before = resources();
    const findings = await findingsOf(factory, exampleOf(factory));
    expect(findings.length).toBeGreaterThan(0);
    for (const { what, repair = '' } of findings) expect(`${what}${repair}`).not.toMatch(/\p{Cc}/u);
    await waitFor(() => resources().length <= before.length, {
      timeoutMs: 3000,
      what: `an end of ${resources().join()}`,
    });
  });

  it('gives up immediately when the deadline has passed', async () => {
    const component = await create(factory);
    await component.start(host);
    const begun = performance.now();
    await component.shutdown(AbortSignal.abort());
    expect(performance.now() - begun).toBeLessThan(500);
  });
});

const processors = factories.filter((factory) => factory.kind === 'processor');

it.each(processors.map((factory) => [factory.type, factory] as const))(
  '%s passes on everything it accepted before its shutdown',
  async (_, factory) => {
    const sink = new SinkExporter();
    const component = (await create(factory, sink, passingExampleOf(factory))) as Component & Consumer;
    await component.start(host);
    await component.consume(spansBatch(['a', 'b', 'c']));
    await component.shutdown(AbortSignal.timeout(2000));
    expect(sink.items).toBe(3);
  },
);

it('no two factories of a kind share a type or an alias', () => {
  const names = factories.flatMap(({ kind, type, aliases = [] }) =>
    [type, ...aliases].map((name) => `${kind} ${name}`),
  );
  expect(names).toEqual([...new Set(names)]);
});

it.each(factories.map((factory) => [`${factory.kind} ${factory.type}`, factory] as const))(
  '%s is in the table of the README',
  (_, factory) => {
    const link = `[\`${factory.type}\`](src/components/${folderOf(factory)}/README.md)`;
    const rows = readFileSync(`${ROOT}README.md`, 'utf8').matchAll(/^\| (\w+) \| (.*?) \|/gm);
    const kinds = [...rows].filter(([, , links = '']) => links.includes(link)).map(([, kind]) => kind);
    expect(kinds, `README.md has one row with ${link}`).toEqual([factory.kind]);
  },
);

async function create(factory: Factory, next: Consumer = nowhere, example = exampleOf(factory)): Promise<Component> {
  const settings: ComponentSettings = {
    id: factory.type,
    signals: new Set(factory.signals),
    logger: logLines().logger,
    metrics: noMetrics,
    ledger: new ComponentLedger(),
    version: '0.0.0',
  };
  const config = onFreePort(await v.parseAsync(factory.config, example));
  if (factory.kind === 'receiver') return factory.create(settings, config, () => next);
  if (factory.kind === 'processor' || factory.kind === 'connector') return factory.create(settings, config, next);
  return factory.create(settings, config);
}

/** Somebody may use the port of the example. */
function onFreePort<T>(config: T): T {
  const { endpoint } = (config ?? {}) as { endpoint?: { port?: number } };
  return endpoint?.port === undefined ? config : { ...config, endpoint: { ...endpoint, port: 0 } };
}

function folderOf({ kind, type }: Factory): string {
  return `${SECTION_OF[kind]}/${type.replaceAll('_', '-')}`;
}

function readmeOf(factory: Factory): string {
  const file = `${ROOT}src/components/${folderOf(factory)}/README.md`;
  expect(existsSync(file), `${factory.kind} ${factory.type} has a README.md`).toBe(true);
  return readFileSync(file, 'utf8');
}

const PASSES_ALL = '<!-- passes everything -->';

/**
 * A configuration with which a processor drops nothing. A processor that drops items by its configuration, such as a
 * filter, marks one in its README with PASSES_ALL in the line above; for others it is the first one.
 */
function passingExampleOf(factory: Factory): Record<string, unknown> {
  const readme = readmeOf(factory);
  return exampleOf(factory, readme.slice(Math.max(0, readme.indexOf(PASSES_ALL))));
}

/** The component's part of the first YAML block in its README, on ports that the system chooses and in a new directory. */
function exampleOf(factory: Factory, readme = readmeOf(factory)): Record<string, unknown> {
  const block = /```yaml\n(.*?)```/s.exec(readme)?.[1] ?? '';
  const components = childOf(parseYaml('README.md', block), SECTION_OF[factory.kind]);
  const names = [factory.type, ...(factory.aliases ?? [])];
  const node = names.map((name) => childOf(components, name)).find((found) => found !== undefined);
  if (node === undefined) throw new Error(`the README of ${factory.kind} ${factory.type} has no example`);
  return (onThisMachine(toValue(node)) ?? {}) as Record<string, unknown>;
}

function onThisMachine(value: unknown): unknown {
  if (typeof value === 'string') {
    // A reference would be put in by the loader; here nothing is set.
    const text = /^\$\{.*\}$/.test(value) ? '' : value;
    if (text.startsWith('/var/lib/')) return unusedDirectory;
    return /^[\w.-]*:\d+$/.test(text) ? '127.0.0.1:0' : text;
  }
  if (Array.isArray(value)) return value.map(onThisMachine);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, child]) => [key, onThisMachine(child)]));
}

function resources(): string[] {
  return process.getActiveResourcesInfo().filter((name) => /^(?:Timeout|Immediate|TCP|TLS|Zlib|FSReq|Get)/.test(name));
}
