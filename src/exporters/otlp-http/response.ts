/** What an OTLP/HTTP answer means. https://opentelemetry.io/docs/specs/otlp/#otlphttp-response */
import { PermanentError, RetryableError } from '../../collector/errors.ts';
import type { HttpAnswer } from '../../collector/net/http-client.ts';
import { parseRetryAfter } from '../../collector/net/retry-after.ts';
import { WireReader } from '../../collector/otlp/wire-reader.ts';

const RETRYABLE = new Set([429, 502, 503, 504]);
const MAX_MESSAGE_CHARACTERS = 300;

export interface PartialSuccess {
  readonly rejectedItems: number;
  readonly message: string;
}

/** The error that an answer without success stands for. */
export function errorOf(answer: HttpAnswer): PermanentError | RetryableError {
  const code = `http_${answer.status}`;
  const reason = `the server answered ${answer.status}${detailOf(answer)}`;
  if (!RETRYABLE.has(answer.status)) return new PermanentError(code, reason);
  return new RetryableError(code, reason, { retryAfterMs: parseRetryAfter(answer.headers['retry-after']) });
}

/**
 * What the server refused of a request that it accepted.
 *
 * @throws PermanentError if the answer claims to be protobuf and is none: whoever sent it speaks no OTLP.
 */
export function partialSuccessOf(answer: HttpAnswer): PartialSuccess {
  if (!isProtobuf(answer) || !answer.complete) return { rejectedItems: 0, message: '' };
  try {
    return readResponse(new WireReader(answer.body));
  } catch (cause) {
    throw new PermanentError('invalid_response', 'the server accepted the request with an answer that is not OTLP', {
      cause,
    });
  }
}

/** `Export<Signal>ServiceResponse { 1: partial_success { 1: rejected_<items>, 2: error_message } }` */
function readResponse(reader: WireReader): PartialSuccess {
  let found: PartialSuccess = { rejectedItems: 0, message: '' };
  while (!reader.done) {
    const tag = reader.tag();
    if (tag === ((1 << 3) | 2)) found = readPartialSuccess(reader.message());
    else reader.skip(tag);
  }
  return found;
}

function readPartialSuccess(reader: WireReader): PartialSuccess {
  let rejectedItems = 0;
  let message = '';
  while (!reader.done) {
    const tag = reader.tag();
    if (tag === ((1 << 3) | 0)) rejectedItems = Number(reader.int64());
    else if (tag === ((2 << 3) | 2)) message = shorten(reader.string());
    else reader.skip(tag);
  }
  return { rejectedItems, message };
}

function detailOf(answer: HttpAnswer): string {
  const text = isProtobuf(answer) ? statusMessage(answer.body) : answer.body.toString('utf8');
  return text.trim() === '' ? '' : `: ${shorten(text.trim())}`;
}

/** `google.rpc.Status { 2: message }`, or nothing where the bytes are none. */
function statusMessage(body: Uint8Array): string {
  const reader = new WireReader(body);
  try {
    while (!reader.done) {
      const tag = reader.tag();
      if (tag === ((2 << 3) | 2)) return reader.string();
      reader.skip(tag);
    }
  } catch {
    // The status code has said that the request failed; a broken explanation adds nothing to it.
  }
  return '';
}

function isProtobuf(answer: HttpAnswer): boolean {
  return answer.headers['content-type']?.startsWith('application/x-protobuf') ?? false;
}

function shorten(text: string): string {
  return text.length <= MAX_MESSAGE_CHARACTERS ? text : `${text.slice(0, MAX_MESSAGE_CHARACTERS)}…`;
}
