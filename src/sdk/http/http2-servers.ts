/** Observes the requests that servers of HTTP/2 answer, through the channels of Node: nothing is patched or loaded. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { IncomingHttpHeaders } from 'node:http';
import type { Socket } from 'node:net';
import { context, diag, type Context } from '@opentelemetry/api';
import { attachment } from './attachment.ts';
import { ObservedRequest, type IncomingSettings } from './observed-request.ts';

/** A message of the channels. */
interface StreamMessage {
  readonly stream: ServerStream;
  readonly headers: Headers;
}

interface Headers extends IncomingHttpHeaders {
  readonly ':authority'?: string;
  readonly ':method'?: string;
  readonly ':path'?: string;
  readonly ':scheme'?: string;
}

interface ServerStream {
  readonly id?: number;
  readonly rstCode: number;
  readonly sentHeaders?: { readonly ':status'?: number };
  readonly session?: { readonly socket: Socket };
}

const streams = attachment<ObservedRequest>();

/** True for a call of gRPC. */
function isGrpc(headers: Headers): boolean {
  return headers['content-type']?.startsWith('application/grpc') === true;
}

/** Returns a function that ends it. Calls of gRPC are those of its own instrumentation. */
export function observeHttp2Servers(settings: IncomingSettings): () => void {
  const handlers = {
    created: ({ stream, headers }: StreamMessage) => {
      // A server begins streams with an even number, to push what no client has asked for.
      if (isGrpc(headers) || (stream.id ?? 1) % 2 === 0) return;
      const observed = new ObservedRequest(headOf(stream, headers), headers[':scheme'] ?? 'http', settings);
      streams.add(stream, observed);
      enter(observed.within);
    },
    close: ({ stream }: StreamMessage) => {
      const status = stream.sentHeaders?.[':status'];
      const isComplete = status !== undefined && stream.rstCode === 0;
      streams.of(stream)?.end(stream, isComplete ? { status } : 'incomplete');
    },
  };
  return subscribeAll(handlers);
}

/** Node ends the process when a subscriber throws. */
function subscribeAll(handlers: Readonly<Record<string, (message: StreamMessage) => void>>): () => void {
  const subscribers = Object.entries(handlers).map(([name, handler]) => {
    const subscriber = (message: unknown): void => {
      try {
        handler(message as StreamMessage);
      } catch (error) {
        diag.warn('siphon: a stream of HTTP/2 is not observed', error);
      }
    };
    return [`http2.server.stream.${name}`, subscriber] as const;
  });
  for (const [channel, subscriber] of subscribers) subscribe(channel, subscriber);
  return () => subscribers.forEach(([channel, subscriber]) => unsubscribe(channel, subscriber));
}

function headOf({ session }: ServerStream, headers: Headers) {
  const { ':authority': host = headers.host, ':method': method, ':path': url } = headers;
  const known = host === undefined ? headers : { ...headers, host };
  return { headers: known, httpVersion: '2', method, url, socket: session?.socket };
}

/** Node emits the event of the stream next, in the context of this moment. Each stream has a turn of its own. */
function enter(within: Context): void {
  const manager = context['_getContextManager']() as {
    readonly _asyncLocalStorage?: { enterWith(store: Context): void };
  };
  manager['_asyncLocalStorage']?.enterWith(within);
}
