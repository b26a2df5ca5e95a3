/** The part of Grafana's HTTP API that a push needs: https://grafana.com/docs/grafana/latest/developer-resources/api-reference/http-api/ */
import { HttpClient, type HttpAnswer } from '../../engine/net/http-client.ts';
import { Secret } from '../../engine/schema/secret.ts';

const TIMEOUT_MS = 15_000;
/** Far more than any of the dashboards has. */
const MAX_ANSWER_BYTES = 16 * 1024 * 1024;

export interface Folder {
  readonly uid: string;
  readonly title: string;
}

export interface StoredDashboard {
  readonly dashboard: Readonly<Record<string, unknown>>;
  readonly meta: { readonly folderUid?: string; readonly provisioned?: boolean };
}

/** Grafana refused a request, or could not be reached. */
export class GrafanaError extends Error {
  override readonly name = 'GrafanaError';
}

export class GrafanaClient {
  readonly #base: URL;
  readonly #token: Secret;

  /** @param base The address under which a browser finds Grafana, with its path where it has one. */
  constructor(base: URL, token: Secret) {
    this.#base = new URL(base);
    if (!this.#base.pathname.endsWith('/')) this.#base.pathname += '/';
    this.#token = token;
  }

  async folders(): Promise<readonly Folder[]> {
    const answer = await this.#call('GET', 'api/folders?limit=1000');
    if (!Array.isArray(answer)) throw this.#strange();
    return answer as Folder[];
  }

  async createFolder(title: string): Promise<Folder> {
    return (await this.#call('POST', 'api/folders', { title })) as Folder;
  }

  async deleteFolder(uid: string): Promise<void> {
    await this.#call('DELETE', `api/folders/${encodeURIComponent(uid)}`);
  }

  /** Undefined if it does not exist. */
  async dashboard(uid: string): Promise<StoredDashboard | undefined> {
    const answer = await this.#call('GET', `api/dashboards/uid/${encodeURIComponent(uid)}`, undefined, 'absent on 404');
    if (answer === undefined) return undefined;
    const stored = answer as Partial<StoredDashboard>;
    if (typeof stored.dashboard !== 'object' || typeof stored.meta !== 'object') throw this.#strange();
    return stored as StoredDashboard;
  }

  /** Refused if the dashboard has changed since its `version`. */
  async saveDashboard(dashboard: object, folderUid: string): Promise<void> {
    const message = 'siphon dashboards push';
    await this.#call('POST', 'api/dashboards/db', { dashboard, folderUid, message, overwrite: false });
  }

  async deleteDashboard(uid: string): Promise<void> {
    await this.#call('DELETE', `api/dashboards/uid/${encodeURIComponent(uid)}`);
  }

  async #call(method: string, path: string, body?: object, absent?: 'absent on 404'): Promise<unknown> {
    const answered = await this.#send(method, path, body);
    if (!answered.complete) throw this.#strange();
    const text = answered.body.toString('utf8');
    if (answered.status === 404 && absent !== undefined && isObject(parse(text))) return undefined;
    if (answered.status < 200 || answered.status > 299) throw this.#refused(answered, method, path, text);
    const answer = parse(text);
    if (answer === undefined) throw this.#strange();
    return answer;
  }

  async #send(method: string, path: string, body: object | undefined): Promise<HttpAnswer> {
    const client = new HttpClient({ maxAnswerBytes: MAX_ANSWER_BYTES });
    const request = {
      method,
      url: new URL(path, this.#base),
      headers: {
        accept: 'application/json',
        authorization: `Bearer ${this.#token.reveal()}`,
        ...(body !== undefined && { 'content-type': 'application/json' }),
      },
      chunks: body === undefined ? [] : [Buffer.from(JSON.stringify(body))],
      timeoutMs: TIMEOUT_MS,
      signal: AbortSignal.timeout(TIMEOUT_MS),
    };
    try {
      // The token is for this host alone.
      return await client.post(request, { follows: false });
    } catch (error) {
      const { message, cause } = error as Error;
      const why = cause instanceof Error && cause.message !== '' ? cause.message : message;
      throw new GrafanaError(`${this.#base.href} cannot be reached: ${why}`, { cause: error });
    } finally {
      client.close();
    }
  }

  #refused({ status, headers }: HttpAnswer, method: string, path: string, text: string): GrafanaError {
    const base = this.#base.href;
    if (status === 401) return new GrafanaError(`${base} rejected the token (401)`);
    if (status === 403) {
      return new GrafanaError(
        `the token may not ${method} ${path} (403): it needs the role Editor, or to write folders and dashboards`,
      );
    }
    if (status >= 300 && status < 400) {
      return new GrafanaError(`${base} redirects to ${headers.location ?? 'nowhere'}: use that address instead`);
    }
    const answer = parse(text) as { message?: unknown } | undefined;
    const message = typeof answer?.message === 'string' ? answer.message.slice(0, 300) : 'no reason given';
    return new GrafanaError(`${base} answers ${method} ${path} with ${status}: ${message}`);
  }

  #strange(): GrafanaError {
    return new GrafanaError(`${this.#base.href} answers, but not like Grafana`);
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null;
}
