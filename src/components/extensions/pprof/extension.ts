import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Component, ComponentSettings, Host } from '../../../engine/component.ts';
import { GuardedServer } from '../../../engine/net/guarded-server.ts';
import { reportIdleKeys } from '../../../engine/net/idle-keys.ts';
import { withDefaults } from '../../../engine/schema/http-server.ts';
import { pathOf } from '../../../engine/net/request-path.ts';
import { idleKeys, type PprofConfig } from './config.ts';
import { recordProfile, type ProfileKind } from './profile.ts';

const PATHS: Readonly<Record<string, ProfileKind>> = {
  '/debug/pprof/profile': 'profile',
  '/debug/pprof/heap': 'heap',
};
const OVERVIEW = `siphon records profiles that the developer tools of a browser open:
/debug/pprof/profile?seconds=30  where the CPU time goes
/debug/pprof/heap?seconds=30     what is allocated and kept
`;
const FILE_NAMES: Readonly<Record<ProfileKind, string>> = { profile: 'siphon.cpuprofile', heap: 'siphon.heapprofile' };
const DEFAULT_SECONDS = 30;
const MAX_SECONDS = 300;

/** Records a profile of this process on request, one at a time. */
export class PprofExtension implements Component {
  readonly #settings: ComponentSettings;
  readonly #config: PprofConfig;
  readonly #server: GuardedServer;
  readonly #stopping = new AbortController();
  #isRecording = false;

  constructor(settings: ComponentSettings, config: PprofConfig) {
    this.#settings = settings;
    this.#config = config;
    this.#server = new GuardedServer(withDefaults(config.endpoint), settings.logger);
  }

  async start(host: Host): Promise<void> {
    reportIdleKeys(this.#settings.logger, idleKeys(this.#config));
    await this.#server.start(host, {
      serve: (request, response) => this.#answer(request, response),
      refuse: (_request, response) => send(response, 401, 'The credentials are missing or wrong\n'),
    });
  }

  async shutdown(deadline: AbortSignal): Promise<void> {
    this.#stopping.abort();
    await this.#server.stop(deadline);
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = pathOf(request);
    if (path === '/debug/pprof' || path === '/debug/pprof/') return send(response, 200, OVERVIEW);
    const kind = Object.hasOwn(PATHS, path) ? PATHS[path] : undefined;
    if (kind === undefined) return send(response, 404, OVERVIEW);
    const seconds = secondsOf(request);
    if (seconds === undefined) return send(response, 400, `seconds must be a number from 1 to ${MAX_SECONDS}\n`);
    if (this.#isRecording) return send(response, 503, 'Another profile is being recorded\n');
    this.#isRecording = true;
    const left = new AbortController();
    response.once('close', () => left.abort());
    try {
      const profile = await recordProfile(kind, seconds, AbortSignal.any([this.#stopping.signal, left.signal]));
      response.setHeader('Content-Disposition', `attachment; filename="${FILE_NAMES[kind]}"`);
      response.writeHead(200, { 'Content-Type': 'application/json' }).end(profile);
    } catch (err) {
      if (left.signal.aborted) return;
      if (!this.#stopping.signal.aborted) this.#settings.logger.error({ err }, 'A profile could not be recorded');
      send(response, 503, 'The profile could not be recorded\n');
    } finally {
      this.#isRecording = false;
    }
  }
}

function secondsOf({ url = '' }: IncomingMessage): number | undefined {
  const [, query] = url.split('?', 2);
  const text = new URLSearchParams(query).get('seconds');
  const seconds = text === null ? DEFAULT_SECONDS : Number(text);
  return seconds >= 1 && seconds <= MAX_SECONDS ? seconds : undefined;
}

function send(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { 'Content-Type': 'text/plain; charset=utf-8' }).end(text);
}
