import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { createDirectory } from '../engine/create-directory.ts';
import { EXIT_FAILURE, EXIT_OK, type Command } from './command.ts';
import { DEFAULT_PORTS, defaultConfig, hasDatabase, type DefaultConfigOptions } from './default-config.ts';
import { freePorts } from './free-ports.ts';
import { DEFAULT_FILE } from './read-config.ts';

type Ports = DefaultConfigOptions['ports'];

export const init: Command = {
  summary: `write a commented ${DEFAULT_FILE} that fits the project (overwrites nothing)`,
  optionLines: ['--dir DIR                    folder of the file; created if missing; default: the working directory'],
  takes: ['dir'],
  example: 'siphon init --dir ./sidecar',
  exitsOneIf: 'if the file exists or cannot be written',
  readsConfig: false,
  async run({ given: { dir = '.' } }, { environment, print, printError }) {
    const file = path.join(dir, DEFAULT_FILE);
    const ports = await freePorts();
    try {
      await createDirectory(dir);
      await writeFile(file, defaultConfig({ hasDatabase: hasDatabase(environment), keepsState: true, ports }), {
        flag: 'wx',
      });
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      printError(`${file}: ${code === 'EEXIST' ? 'already exists and was not changed' : message}`);
      return EXIT_FAILURE;
    }
    print([`${file}: written`, ...notes(ports, environment), '', 'Next:', ...nextCommands(file, ports)].join('\n'));
    return EXIT_OK;
  },
};

function notes(ports: Ports, environment: Readonly<Record<string, string | undefined>>): string[] {
  const moved = (Object.keys(DEFAULT_PORTS) as (keyof Ports)[]).filter((name) => ports[name] !== DEFAULT_PORTS[name]);
  return [
    ...moved.map((name) => `Port ${DEFAULT_PORTS[name]} is in use: the file has ${ports[name]} instead`),
    ...moved.flatMap((name) => followUp(name, ports[name])),
    hasDatabase(environment)
      ? 'DATABASE_URL is set: the file polls this database with the pack postgres_health'
      : 'DATABASE_URL is not set: the database poller is a comment in the file',
    environment['SENTRY_DSN']
      ? 'SENTRY_DSN is set: traces go to Sentry'
      : 'SENTRY_DSN is not set: nothing is sent to Sentry until it is set',
    `The console will show everything at http://127.0.0.1:${ports.console}/`,
  ];
}

/** Where else a port is, besides the file. */
function followUp(name: keyof Ports, port: number): string[] {
  if (name !== 'metrics' && name !== 'self') return [];
  return [
    `Prometheus must scrape 127.0.0.1:${port}: change the target 127.0.0.1:${DEFAULT_PORTS[name]} in prometheus.yaml`,
    ...(name === 'self' ? [`siphon reload needs --metrics http://127.0.0.1:${port}/metrics`] : []),
  ];
}

/** `siphon-otel` and not `siphon`, which is another package if npx has to download it. */
function nextCommands(file: string, { http }: Ports): string[] {
  const config = path.dirname(file) === '.' ? '' : ` --config ${file}`;
  const endpoint = http === DEFAULT_PORTS.http ? '' : `OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:${http} `;
  return [
    `  npx siphon-otel doctor${config}`,
    `  npx siphon-otel run${config}`,
    `  ${endpoint}node --import siphon-otel/preload app.js`,
  ];
}
