import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import type { Factory } from '../../src/engine/component.ts';
import { componentFactories } from '../../src/components/index.ts';
import { packs } from '../../src/packs/index.ts';
import { everyKey } from './every-key.ts';

const factories = componentFactories(packs);

/** Files that a component notices itself, or does not read. */
const OTHERS: Readonly<Record<string, string>> = {
  'bearer_token_auth::filename': 'is read again after each change',
  'pprof::save_to_file': 'is refused',
};
/** `ca_file` of a server is accepted without effect. */
const WITHOUT_EFFECT = /^(?:otlp|prometheus|telemetry_store|zpages|health_check|metrics_history|console)::.*::ca_file$/;

const REQUIRED: Readonly<Record<string, object>> = {
  otlp_http: { endpoint: 'http://localhost:1' },
  sentry: { dsn: 'http://key@localhost/1' },
  otlp: { protocols: {} },
  metrics_history: { rules: { notify: { alertmanagers: [{ url: 'http://localhost:1' }] } } },
};

const inFiles = factories.flatMap((factory) => {
  const paths = everyKey(factory.config).filter((path) => /(?:^|_)file(?:name)?$/.test(path.at(-1) ?? ''));
  return paths.map((path) => [`${factory.type}::${path.join('::')}`, factory, path] as const);
});

/** The example of the component with `file` in each of its keys that names a file. */
function configWith(factory: Factory): object {
  const config: Record<string, unknown> = structuredClone(REQUIRED[factory.type] ?? {}) as Record<string, unknown>;
  for (const [name, owner, path] of inFiles) {
    if (owner !== factory || OTHERS[name] !== undefined) continue;
    const parent = path
      .slice(0, -1)
      .reduce<Record<string, unknown>>((at, key) => (at[key] ??= {}) as typeof at, config);
    parent[path.at(-1) as string] = `/files/${name}`;
  }
  return config;
}

describe('a reload notices a change of', () => {
  it.each(inFiles.filter(([name]) => OTHERS[name] === undefined && !WITHOUT_EFFECT.test(name)))(
    '%s',
    async (name, factory) => {
      const config = await v.parseAsync(factory.config, configWith(factory));
      expect(factory.files?.(config)).toContain(`/files/${name}`);
    },
  );

  const address = 'postgresql://u@db/shop?sslrootcert=/files/root&sslcert=/files/cert&sslkey=/files/key';
  const query = { sql: 'select 1 as n', metrics: [{ metric_name: 'n', value_column: 'n' }] };
  it.each<[type: string, config: object]>([
    ['db_poller', { datasource: address, packs: { postgres_health: {} } }],
    [
      'db_poller',
      {
        datasource: 'postgresql://u@db/shop',
        leader_election: { datasource: address },
        packs: { postgres_health: {} },
      },
    ],
    ['sqlquery', { driver: 'postgres', datasource: address, queries: [query] }],
    ['sqlquery', { driver: 'postgres', datasource: 'host=db user=u dbname=shop sslrootcert=/files/root sslcert=/files/cert sslkey=/files/key', queries: [query] }], // prettier-ignore
  ])('the files in the address of %s', async (type, given) => {
    const factory = factories.find((one) => one.type === type) as Factory;
    const config = await v.parseAsync(factory.config, given);
    expect(factory.files?.(config)).toEqual(expect.arrayContaining(['/files/root', '/files/cert', '/files/key']));
  });
});
