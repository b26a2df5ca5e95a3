import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';

interface Stored {
  readonly dashboard: Record<string, unknown>;
  readonly folderUid: string;
  readonly provisioned: boolean;
}

interface Answer {
  readonly status: number;
  readonly body: unknown;
}

const NOT_FOUND: Answer = { status: 404, body: { message: 'Not found' } };

/**
 * Behaves as Grafana's HTTP API is documented to, as far as folders and dashboards go: tokens and roles, versions that
 * must match unless `overwrite` is set, 401, 403, 404, 409 and 412.
 * https://grafana.com/docs/grafana/latest/developer-resources/api-reference/http-api/
 */
export class FakeGrafana implements AsyncDisposable {
  static readonly editorToken = 'glsa_editor';
  static readonly viewerToken = 'glsa_viewer';

  readonly folders = new Map<string, { uid: string; title: string }>();
  readonly dashboards = new Map<string, Stored>();
  /** Method and path of every request that may change something. */
  readonly writes: string[] = [];
  /** A dashboard that cannot be saved, as when a disk is full. */
  brokenUid: string | undefined;
  readonly #server: Server;
  #nextId = 1;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async start(): Promise<FakeGrafana> {
    const server = createServer();
    const grafana = new FakeGrafana(server);
    server.on('request', (request, response) => {
      void grafana.#answer(request, response);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return grafana;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/grafana`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, 'close');
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { status, body } = await this.#handle(request);
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  }

  async #handle(request: IncomingMessage): Promise<Answer> {
    const { method = '', url = '' } = request;
    const role = { [`Bearer ${FakeGrafana.editorToken}`]: 'Editor', [`Bearer ${FakeGrafana.viewerToken}`]: 'Viewer' }[
      request.headers.authorization ?? ''
    ];
    if (role === undefined) return { status: 401, body: { message: 'Unauthorized' } };
    const { pathname } = new URL(url, 'http://grafana');
    if (!pathname.startsWith('/grafana/api/')) return NOT_FOUND;
    const [, , , kind, ...rest] = pathname.split('/');
    if (method !== 'GET') {
      if (role !== 'Editor') return { status: 403, body: { message: "You'll need additional permissions" } };
      this.writes.push(`${method} ${pathname.slice('/grafana'.length)}`);
    }
    const body = method === 'POST' ? ((await json(request)) as Record<string, unknown>) : {};
    if (kind === 'folders') return this.#folders(method, rest[0], body);
    return kind === 'dashboards' ? this.#dashboards(method, rest, body) : NOT_FOUND;
  }

  #folders(method: string, uid: string | undefined, { title }: Record<string, unknown>): Answer {
    if (method === 'DELETE') return this.folders.delete(String(uid)) ? { status: 200, body: {} } : NOT_FOUND;
    if (method === 'GET') return { status: 200, body: [...this.folders.values()] };
    if ([...this.folders.values()].some((folder) => folder.title === title)) {
      return { status: 409, body: { message: 'a folder with the same name already exists in the current location' } };
    }
    const folder = { uid: `folder-${this.#nextId++}`, title: String(title) };
    this.folders.set(folder.uid, folder);
    return { status: 200, body: folder };
  }

  #dashboards(method: string, [collection, uid = '']: readonly string[], body: Record<string, unknown>): Answer {
    if (method === 'POST' && collection === 'db') return this.#save(body);
    const stored = this.dashboards.get(uid);
    if (collection !== 'uid' || stored === undefined) return { status: 404, body: { message: 'Dashboard not found' } };
    if (method === 'DELETE') {
      this.dashboards.delete(uid);
      return { status: 200, body: { title: stored.dashboard['title'] } };
    }
    const { dashboard, folderUid, provisioned } = stored;
    return { status: 200, body: { dashboard, meta: { folderUid, provisioned } } };
  }

  #save({ dashboard: given, folderUid, overwrite }: Record<string, unknown>): Answer {
    const dashboard = given as Record<string, unknown>;
    const uid = String(dashboard['uid']);
    const before = this.dashboards.get(uid);
    const refusal = this.#refusal(dashboard, String(folderUid), overwrite === true);
    if (refusal !== undefined) return refusal;
    const version = Number(before?.dashboard['version'] ?? 0) + 1;
    const saved = { ...dashboard, id: before?.dashboard['id'] ?? this.#nextId++, version };
    this.dashboards.set(uid, { dashboard: saved, folderUid: String(folderUid), provisioned: false });
    return { status: 200, body: { id: saved.id, uid, status: 'success', version } };
  }

  #refusal(dashboard: Record<string, unknown>, folderUid: string, overwrite: boolean): Answer | undefined {
    const uid = String(dashboard['uid']);
    const before = this.dashboards.get(uid);
    if (uid === this.brokenUid) return { status: 500, body: { message: 'Failed to save dashboard' } };
    if (folderUid !== '' && !this.folders.has(folderUid)) return { status: 400, body: { message: 'folder not found' } };
    if (before?.provisioned === true) return { status: 400, body: { message: 'Cannot save provisioned dashboard' } };
    if (before === undefined || overwrite || dashboard['version'] === before.dashboard['version']) return undefined;
    const message = 'The dashboard has been changed by someone else';
    return { status: 412, body: { message, status: 'version-mismatch' } };
  }
}
