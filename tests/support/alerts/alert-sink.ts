import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';

/** A message that Alertmanager posts to a Slack incoming webhook. */
export interface SlackMessage {
  readonly channel: string;
  readonly attachments: readonly {
    readonly title: string;
    readonly title_link: string;
    readonly text: string;
    readonly color: string;
    readonly footer: string;
    readonly actions: readonly { readonly type: string; readonly text: string; readonly url: string }[];
  }[];
}

export interface DeadManCall {
  readonly authorization: string | undefined;
  readonly status: string;
  readonly alertnames: readonly string[];
}

interface WebhookBody {
  readonly status: string;
  readonly alerts: readonly { readonly labels: { readonly alertname: string } }[];
}

/** Accepts Slack messages on `/slack` and calls of the dead man's switch on `/dead-man`. */
export class AlertSink implements AsyncDisposable {
  readonly messages: SlackMessage[] = [];
  readonly deadManCalls: DeadManCall[] = [];
  readonly url: string;
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  static async start(): Promise<AlertSink> {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const sink = new AlertSink(server);
    server.on('request', (request, response) => {
      void sink.#take(request).then(
        () => response.end('ok'),
        () => response.writeHead(400).end(),
      );
    });
    return sink;
  }

  async #take(request: IncomingMessage): Promise<void> {
    const body = await json(request);
    if (request.url === '/slack') this.messages.push(body as SlackMessage);
    else this.#deadMan(request.headers.authorization, body as WebhookBody);
  }

  /** The titles of all messages in order of arrival. */
  get titles(): readonly string[] {
    return this.messages.flatMap(({ attachments }) => attachments.map(({ title }) => title));
  }

  #deadMan(authorization: string | undefined, { status, alerts }: WebhookBody): void {
    this.deadManCalls.push({ authorization, status, alertnames: alerts.map(({ labels }) => labels.alertname) });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, 'close').catch(() => undefined);
  }
}
