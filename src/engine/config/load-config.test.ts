import { describe, expect, it } from 'vitest';
import * as v from 'valibot';
import type { ConnectorFactory, ExporterFactory, Factory, ProcessorFactory, ReceiverFactory } from '../component.ts';
import { ConfigError } from './config-error.ts';
import { duration, secret } from '../schema/fields.ts';
import { loadConfig, type LoadedConfig } from './load-config.ts';
import { redactConfig } from './redact.ts';

const neverCreated = (): never => {
  throw new Error('loading a configuration creates nothing');
};

const source: ReceiverFactory = {
  kind: 'receiver',
  type: 'source',
  signals: ['traces', 'metrics'],
  stability: 'stable',
  config: v.nullish(
    v.strictObject({ endpoint: v.optional(v.string(), 'localhost'), timeout: v.optional(duration(), '1s') }),
    {},
  ),
  create: neverCreated,
};

const sink: ExporterFactory = {
  kind: 'exporter',
  type: 'sink',
  aliases: ['drain'],
  signals: ['traces'],
  stability: 'stable',
  config: v.nullish(
    v.strictObject({
      token: v.optional(secret(), ''),
      size: v.optional(v.number(), 1),
      note: v.optional(v.string(), ''),
    }),
    {},
  ),
  delivery: () => ({}),
  create: neverCreated,
};

const relay: ConnectorFactory = {
  kind: 'connector',
  type: 'relay',
  signals: ['traces'],
  emits: ['traces', 'metrics'],
  stability: 'stable',
  config: v.unknown(),
  create: neverCreated,
};

const filter: ProcessorFactory = {
  kind: 'processor',
  type: 'filter',
  signals: ['traces', 'metrics'],
  stability: 'stable',
  config: v.nullish(v.strictObject({ ratio: v.number() })),
  create: neverCreated,
};

const PIPELINE = 'service: {pipelines: {traces: {receivers: [source], exporters: [sink]}}}';

async function load(
  text: string,
  options: { sets?: string[]; environment?: Record<string, string>; more?: string[]; factories?: Factory[] } = {},
): Promise<LoadedConfig> {
  const sources = [text, ...(options.more ?? [])].map((each, index) => ({ name: `${index + 1}.yaml`, text: each }));
  return await loadConfig({
    sources,
    sets: options.sets ?? [],
    environment: options.environment ?? {},
    factories: [source, sink, relay, filter, ...(options.factories ?? [])],
  });
}

function withReference(exporter: string, sinks = '{ sink: {} }'): string {
  return (
    `receivers: { source: {} }\nexporters: ${sinks}\nservice:\n  pipelines:\n    traces:\n` +
    `      receivers: [source]\n      exporters: [${exporter}]`
  );
}

async function problemsOf(text: string, options?: Parameters<typeof load>[1]): Promise<string[]> {
  try {
    await load(text, options);
  } catch (error) {
    if (error instanceof ConfigError) return error.message.split('\n');
    throw error;
  }
  return [];
}

const sinkOf = (loaded: LoadedConfig): unknown => loaded.config.exporters.get('sink')?.config;
const withSink = (settings: string): string =>
  `receivers: {source: }\nexporters:\n  sink:\n    ${settings}\n${PIPELINE}`;

/** A configuration of one component of each kind, with these pipelines. */
const withPipelines = (pipelines: string): string =>
  `receivers: {source: }\nexporters: {sink: }\nconnectors: {relay: }\nprocessors: {filter: }\nservice: {pipelines: {${pipelines}}}`;

const withoutUnits = (flag: boolean): string =>
  `service.telemetry.metrics.readers=[{pull: {exporter: {prometheus: {port: 1, without_units: ${flag}}}}}]`;

const metricsOf = async (sets: string[]): Promise<unknown> =>
  (await load(withSink('size: 1'), { sets })).config.service.telemetry.metrics;

describe('loadConfig', () => {
  it('reports five different mistakes together, each with its line', async () => {
    const text = `receivers:
  source:
    endpoit: x
    timeout: soon
exporters:
  sink:
    size: many
  snik:
service:
  pipelines:
    traces:
      receivers: [source]
      exporters: [sinc]
`;
    expect(await problemsOf(text)).toEqual([
      '1.yaml:3 receivers::source::endpoit: is an unknown key (did you mean endpoint?); allowed: endpoint, timeout',
      '1.yaml:4 receivers::source::timeout: must be a duration such as 500ms, 10s or 1m30s',
      '1.yaml:7 exporters::sink::size: must be a number',
      '1.yaml:8 exporters::snik: unknown exporter type (did you mean sink?); available: sink',
      '1.yaml:13 service::pipelines::traces::exporters::0: refers to sinc, which is not configured in exporters (did you mean sink?); configured: sink',
    ]);
  });

  it('never repeats a value in a problem, since it may be a secret', async () => {
    const text = withSink('token: [hunter2]\n    size: hunter2');
    expect((await problemsOf(text)).join()).not.toContain('hunter2');
    expect(await problemsOf(text)).toHaveLength(2);
  });

  it.each([
    ['a number where text is wanted keeps its zeros', 'note: ${env:X}', { X: '0123' }, { note: '0123' }],
    ['a default may be an empty text in quotes', 'note: a${env:X:-""}', {}, { note: 'a""' }],
    ['a default may be an empty text in quotes, alone', 'note: \'${env:X:-""}\'', {}, { note: '' }],
    ['a default is used only when the variable is unset', 'note: ${env:X:-d}', {}, { note: 'd' }],
    ['a variable that is set but empty stays empty', 'note: ${env:X:-d}', { X: '' }, { note: '' }],
    ['a whole value is read as YAML', 'size: ${X}', { X: '42' }, { size: 42 }],
    ['a reference may stand inside a text', 'note: a-${env:X}-b', { X: '1' }, { note: 'a-1-b' }],
    ['two dollars are one', 'note: $${env:X}', { X: '1' }, { note: '${env:X}' }],
    ['a password arrives unchanged', 'note: ${env:X}', { X: 'p$$w${HOME}$' }, { note: 'p$$w${HOME}$' }],
    [
      'a password arrives unchanged inside a text',
      'note: a ${env:X}',
      { X: 'p$$w${HOME}$' },
      { note: 'a p$$w${HOME}$' },
    ],
    ['references nest', 'note: ${env:${env:X}}', { X: 'Y', Y: 'z' }, { note: 'z' }],
    ['a key without a value takes its default', 'note:\n    size: ~\n    token: "x"', {}, { note: '', size: 1 }],
    ['a number that begins with 0 is octal, as in the Collector', 'size: 010', {}, { size: 8 }],
    ['digits may be grouped, as in the Collector', 'size: 10_000', {}, { size: 10_000 }],
    ['a number may be binary', 'size: 0b11', {}, { size: 3 }],
    ['a name with an underscore stays text', 'note: a_1', {}, { note: 'a_1' }],
    ['a tag may state the type', 'size: !!int "7"', {}, { size: 7 }],
    ['a reference may contain YAML', 'size: ${yaml:5}', {}, { size: 5 }],
    ['text that is not YAML remains text', 'note: ${env:X}', { X: '*&@[' }, { note: '*&@[' }],
    ['text with a colon stays text where text is wanted', 'note: ${env:X}', { X: 'a: b' }, { note: 'a: b' }],
  ])('%s', async (_, settings, environment, expected) => {
    expect(sinkOf(await load(withSink(settings), { environment }))).toMatchObject(expected);
  });

  it('warns of an unset variable, and names it where its absence is the problem', async () => {
    expect((await load(withSink('note: ${env:GONE}'))).warnings).toEqual([
      '1.yaml:4 exporters::sink::note: ${env:GONE} is not set and has no default',
    ]);
    const filtered = 'processors:\n  filter:\n    ratio: ${env:GONE}\n';
    expect(await problemsOf(filtered + withSink('size: 1'))).toEqual([
      '1.yaml:3 processors::filter::ratio: ${env:GONE} is not set; must be set',
    ]);
  });

  it('warns of an unset variable where a number or a duration is optional, and uses the default', async () => {
    const loaded = await load(withSink('size: ${env:GONE}'), { sets: ['receivers.source.timeout=${GONE2}'] });
    expect(sinkOf(loaded)).toMatchObject({ size: 1 });
    expect(loaded.config.receivers.get('source')?.config).toMatchObject({ timeout: 1000 });
    expect(loaded.warnings).toHaveLength(2);
  });

  it('names the empty variable in a reference', async () => {
    const at = '1.yaml:7 service::pipelines::traces::exporters::0';
    expect(await problemsOf(withReference('"${env:GONE}"'))).toEqual([
      `${at}: \${env:GONE} is not set; must be one of the ids in exporters; configured: sink`,
    ]);
    expect(await problemsOf(withReference('"${env:GONE:-}"'))).toEqual([
      `${at}: \${env:GONE} is not set; must be one of the ids in exporters; configured: sink`,
    ]);
    expect(await problemsOf(withReference('"sink/${env:GONE}"'))).toEqual([
      expect.stringContaining(`${at}: \${env:GONE} is not set; refers to sink/, which is not configured`),
    ]);
    expect(await problemsOf(withReference('sink', '${env:GONE}'))).toEqual([
      `${at}: \${env:GONE} is not set; refers to sink, which is not configured in exporters; configured: none`,
    ]);
    expect(await problemsOf(withReference('"${env:SET}"'), { environment: { SET: '' } })).toEqual([
      `${at}: \${env:SET} is empty; must be one of the ids in exporters; configured: sink`,
    ]);
  });

  it('suggests a variable with a similar name that is set', async () => {
    const environment = { STORAGE_NAM: 'x', STORED: 'y', PATH: 'z' };
    expect(await problemsOf(withReference('"${env:STORAGE_NAME}"'), { environment })).toEqual([
      expect.stringContaining('${env:STORAGE_NAME} is not set (did you mean STORAGE_NAM?); must be'),
    ]);
    expect(await problemsOf(withReference('"${env:PORT}"'), { environment })).toEqual([
      expect.stringContaining('${env:PORT} is not set; must be'),
    ]);
  });

  it('does not warn of the default of a variable that is set', async () => {
    const loaded = await load(withSink('note: ${env:SET:-${env:GONE}}'), { environment: { SET: 'x' } });
    expect(loaded.warnings).toEqual([]);
  });

  it.each([
    ['an invalid name', '${env:1X}'],
    ['an unknown kind of reference', '${http://example.com}'],
    ['a file that is missing', '${file:/nonexistent/file}'],
    ['a cycle', '${env:LOOP}'],
    ['references that multiply', '${env:A}'],
    ['references in references without end', '${'.repeat(1000) + '}'.repeat(1000)],
  ])('refuses %s in its line', async (_, reference) => {
    const doubling = Object.fromEntries(
      Array.from('ABCDEFGHIJKLMN').map((name, i, all) => [name, `- \${${all[i + 1]}}\n- \${${all[i + 1]}}`]),
    );
    const environment = { ...doubling, O: 'x', LOOP: '- ${env:LOOP}' };
    expect(await problemsOf(withSink(`note: ${reference}`), { environment })).toEqual([
      expect.stringMatching(/^1\.yaml:4 exporters::sink::note: /),
    ]);
  });

  it('refuses a list where a mapping belongs, an empty one too', async () => {
    const text = `receivers: {source: []}\nexporters: {sink: [a]}\n${PIPELINE}`;
    expect(await problemsOf(text)).toEqual([
      '1.yaml:1 receivers::source: must be a mapping',
      '1.yaml:2 exporters::sink: must be a mapping',
    ]);
  });

  it('merges mappings, replaces lists, lets the later file win and --set last', async () => {
    const loaded = await load(withSink('note: one\n    size: 1'), {
      more: ['exporters: {sink: {size: 2, note: two}}'],
      sets: ['exporters.sink.size=3'],
    });
    expect(sinkOf(loaded)).toMatchObject({ note: 'two', size: 3 });
  });

  it('locates a problem in --set there', async () => {
    expect(await problemsOf(withSink('size: 1'), { sets: ['exporters.sink.size=big'] })).toEqual([
      '--set exporters.sink.size exporters::sink::size: must be a number',
    ]);
  });

  it.each([
    ['no pipeline', 'receivers: {source: }', 'must contain at least one pipeline'],
    [
      'a signal that a component is not for',
      `receivers: {source: }\nexporters: {sink: }\nservice: {pipelines: {metrics: {receivers: [source], exporters: [sink]}}}`,
      'it supports traces',
    ],
    [
      'an unknown section',
      `receiver: {}\nreceivers: {source: }\nexporters: {sink: }\n${PIPELINE}`,
      'did you mean receivers?',
    ],
    ['a duplicate key', 'receivers: {}\nreceivers: {}', '1.yaml:2: contains the key receivers twice'],
    ['broken YAML', 'receivers: [', 'is not valid YAML'],
    ['a list', '[]', 'must be a mapping'],
    ['two documents', 'a: 1\n---\nb: 2', 'only one is allowed'],
    ['a foreign tag', 'receivers: !!binary x', 'only !!str, !!int'],
    ['__proto__', '__proto__: {}', 'not allowed anywhere'],
    [
      'an alias bomb',
      [
        'a: &a [x,x,x,x,x,x,x,x,x,x]',
        ...Array.from('bcdefgh').map((n, i) => `${n}: &${n} [${`*${'abcdefg'[i]},`.repeat(10)}]`),
      ].join('\n'),
      'more than 100000 values',
    ],
    ['a deep nest', '['.repeat(10_000), 'is not valid YAML'],
    ['a huge file', ' '.repeat(2_000_000), 'larger than 1 MiB'],
  ])('refuses %s', async (_, text, message) => {
    expect((await problemsOf(text)).join('\n')).toContain(message);
  });

  const FED = 'traces: {receivers: [source], exporters: [relay]}';

  it('accepts a connector between pipelines', async () => {
    expect(await problemsOf(withPipelines(`${FED}, traces/2: {receivers: [relay], exporters: [sink]}`))).toEqual([]);
  });

  it.each([
    ['a connector without a receiving pipeline', FED, 'must also be a receiver'],
    [
      'a connector without a feeding pipeline',
      'traces: {receivers: [relay], exporters: [sink]}',
      'must also be an exporter',
    ],
    [
      'a cycle of connectors',
      'traces: {receivers: [source, relay], exporters: [relay]}',
      'is part of a cycle of connectors: traces → traces',
    ],
    [
      'a connector for a signal that it does not take',
      `metrics: {receivers: [source], exporters: [relay]}, traces: {receivers: [relay], exporters: [sink]}`,
      'does not support metrics here: it supports traces',
    ],
    [
      'a processor that is twice in a pipeline',
      'traces: {receivers: [source], processors: [filter, filter], exporters: [sink]}',
      'lists filter twice',
    ],
    ['a pipeline without an exporter', 'traces: {receivers: [source]}', 'exporters: must list at least one exporter'],
    ['a pipeline without a body', 'traces: ', 'service::pipelines::traces::receivers: must list at least one receiver'],
    ['a pipeline of nothing known', 'spans: {receivers: [source], exporters: [sink]}', 'must be traces, metrics, logs'],
  ])('refuses %s', async (_, pipelines, message) => {
    expect((await problemsOf(withPipelines(pipelines))).join('\n')).toContain(message);
  });

  it('reads keys joined by :: at the top level', async () => {
    const loaded = await load(withSink('size: 1'), { more: ['exporters::sink::size: 2\nexporters::sink::note: n'] });
    expect(sinkOf(loaded)).toMatchObject({ size: 2, note: 'n' });
  });

  it('accepts aliases of types, names behind a slash, anchors and merge keys', async () => {
    const loaded = await load(`receivers: {source/a: }
exporters:
  drain: &base {size: 7}
  sink/b/c: {<<: *base, note: n}
service: {pipelines: {traces/x/y: {receivers: [source/a], exporters: [drain, sink/b/c]}}}`);
    expect(loaded.config.exporters.get('sink/b/c')?.config).toMatchObject({ size: 7, note: 'n' });
    expect(loaded.config.exporters.get('drain')?.factory.type).toBe('sink');
  });

  it('serves its own metrics on 127.0.0.1:8888 by default', async () => {
    expect(await metricsOf([])).toEqual({ endpoint: { host: '127.0.0.1', port: 8888 } });
    expect(await metricsOf(['service.telemetry.metrics.level=none'])).toBeUndefined();
  });

  it("takes the Collector's telemetry keys that describe what siphon does anyway, and refuses others", async () => {
    expect(await metricsOf([withoutUnits(true)])).toEqual({ endpoint: { host: '127.0.0.1', port: 1 } });
    expect((await problemsOf(withSink('size: 1'), { sets: [withoutUnits(false)] })).join()).toContain('must be true');
    expect(await metricsOf(['service.telemetry.metrics.level=Detailed'])).toBeDefined();
    expect(
      (await problemsOf(withSink('size: 1'), { sets: ['service.telemetry.traces={level: basic}'] })).join(),
    ).toContain('must be left out');
  });
});

describe("the service's telemetry", () => {
  it.each([
    ['a mapping', '{k8s.pod.name: shop-0, replica: 2, service.name: }'],
    ['a list', '{attributes: [{name: k8s.pod.name, value: shop-0}, {name: replica, value: 2}], service.name: null}'],
  ])('has the attributes of a resource, as %s', async (_, resource) => {
    const { config } = await load(withSink('size: 1'), { sets: [`service.telemetry.resource=${resource}`] });
    const expected = { 'k8s.pod.name': 'shop-0', replica: '2', 'service.name': null };
    expect(config.service.telemetry.resource).toEqual(expected);
  });

  it.each([
    ['WARN', 'warn'],
    ['Fatal', 'fatal'],
    ['dpanic', 'fatal'],
  ])('has the log level %s', async (written, level) => {
    const { config } = await load(withSink('size: 1'), { sets: [`service.telemetry.logs.level=${written}`] });
    expect(config.service.telemetry.logs.level).toBe(level);
  });
});

describe('redactConfig', () => {
  it('masks a secret, also where it was put outside of its setting', async () => {
    const text = withSink('token: ${env:T}\n    note: see ${env:T}');
    const { root, config } = await load(text, { environment: { T: '012345' } });
    expect(redactConfig(root, config)).toMatchObject({
      exporters: { sink: { token: '[REDACTED]', note: 'see [REDACTED]' } },
    });
  });
});

it('warns of a list of mappings that a later file replaces, but not of names or of options', async () => {
  const { warnings } = await load(withSink('note: x'), {
    more: [telemetry(1), 'service: {pipelines: {traces: {exporters: [sink]}}}', telemetry(2)],
    sets: [`service.telemetry.metrics.readers=${reader(3)}`],
  });
  expect(warnings).toEqual([
    '4.yaml:1 service::telemetry::metrics::readers: replaces the list in 2.yaml; lists are not joined',
  ]);
});

function reader(port: number): string {
  return `[{pull: {exporter: {prometheus: {host: 127.0.0.1, port: ${port}}}}}]`;
}

function telemetry(port: number): string {
  return `service: {telemetry: {metrics: {readers: ${reader(port)}}}}`;
}

it('warns of a processor that is in one of the pipelines that it needs, and not in the others', async () => {
  const pair: ProcessorFactory = {
    ...filter,
    type: 'pair',
    config: v.nullish(v.unknown()),
    neededSignals: () => ['traces', 'metrics'],
  };
  const text = withSink('size: 1').replace('receivers: [source]', 'receivers: [source], processors: [pair/a, filter]');
  const more = ['processors: { pair/a: {}, filter: { ratio: 1 } }'];
  expect((await load(text, { more, factories: [pair] })).warnings).toEqual([
    'processors::pair/a has no effect without a pipeline of metrics that contains it too',
  ]);
});
