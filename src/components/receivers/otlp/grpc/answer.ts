import type { ServerHttp2Stream } from 'node:http2';
import type { PartialSuccess } from '../../../../engine/component.ts';
import { encodeAcceptance } from '../acceptance.ts';
import { encodeStatus, type Rejection } from '../rejection.ts';

const NO_ERROR = 0;
const GRPC = { ':status': 200, 'content-type': 'application/grpc' };
/** One byte for the compression, four for the length. */
const PREFIX_BYTES = 5;
const OK = { 'grpc-status': '0' };

/** Answers that the message was accepted, perhaps in part. `encodings` are the supported compressions. */
export function accept(stream: ServerHttp2Stream, partial: PartialSuccess | undefined, encodings: string): void {
  if (stream.destroyed) return;
  stream.once('wantTrailers', () => stream.sendTrailers(OK));
  stream.respond({ ...GRPC, 'grpc-accept-encoding': encodings }, { waitForTrailers: true });
  stream.end(uncompressed(encodeAcceptance(partial)));
}

function uncompressed(message: Uint8Array): Buffer {
  const framed = Buffer.alloc(PREFIX_BYTES + message.length);
  framed.writeUInt32BE(message.length, 1);
  framed.set(message, PREFIX_BYTES);
  return framed;
}

/** Answers with a status and ends the call. `encodings` as in `accept`. */
export function refuse(stream: ServerHttp2Stream, rejection: Rejection, encodings: string): void {
  if (stream.destroyed) return;
  const status = {
    'grpc-status': String(rejection.code),
    'grpc-message': percentEncoded(rejection.message),
    'grpc-status-details-bin': Buffer.from(encodeStatus(rejection)).toString('base64'),
  };
  end(stream, { ...GRPC, ...status, 'grpc-accept-encoding': encodings });
}

/** Answers a request that is not gRPC with an HTTP status. */
export function refuseForeign(stream: ServerHttp2Stream, status: number): void {
  if (!stream.destroyed) end(stream, { ':status': status });
}

/** Does not wait for the rest of the message. https://www.rfc-editor.org/rfc/rfc9113#section-8.1 */
function end(stream: ServerHttp2Stream, headers: Record<string, string | number>): void {
  stream.respond(headers, { endStream: true });
  if (!stream.readableEnded) stream.close(NO_ERROR);
}

/** https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md#responses */
function percentEncoded(message: string): string {
  return message.toWellFormed().replaceAll(/[^ -~]|%/gu, encodeURIComponent);
}
