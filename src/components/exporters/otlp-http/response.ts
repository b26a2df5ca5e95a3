/** What an OTLP/HTTP answer means. https://opentelemetry.io/docs/specs/otlp/#otlphttp-response */
import * as v from 'valibot';
import type { FailureReason } from '../../../metrics/reasons.ts';
import { PermanentError, RetryableError } from '../../../engine/errors.ts';
import type { HttpAnswer } from '../../../engine/net/http-client.ts';
import { parseRetryAfter } from '../../../engine/net/retry-after.ts';
import { WireReader } from '../../../engine/otlp/wire-reader.ts';

const RETRYABLE = new Set([429, 502, 503, 504]);
const MAX_MESSAGE_CHARACTERS = 300;

const rejectedCount = v.nullish(v.pipe(v.union([v.string(), v.number()]), v.transform(Number), v.safeInteger()));
const jsonResponse = v.object({
  partialSuccess: v.nullish(
    v.object({
      rejectedSpans: rejectedCount,
      rejectedDataPoints: rejectedCount,
      rejectedLogRecords: rejectedCount,
      errorMessage: v.nullish(v.string(), ''),
    }),
  ),
});

export interface PartialSuccess {
  readonly rejectedItems: number;
  readonly message: string;
}

const NOTHING_REJECTED: PartialSuccess = { rejectedItems: 0, message: '' };

/** The error that an answer without success stands for. */
export function errorOf(answer: HttpAnswer): PermanentError | RetryableError {
  const code = codeOf(answer.status);
  const reason = `the server answered ${answer.status}${detailOf(answer)}`;
  if (!RETRYABLE.has(answer.status)) return new PermanentError(code, reason);
  return new RetryableError(code, reason, { retryAfterMs: parseRetryAfter(answer.headers['retry-after']) });
}

/** By class, since codes are few; the message has the status. */
function codeOf(status: number): FailureReason {
  if (status === 413) return 'too_large';
  if (status === 429) return 'rate_limited';
  if (status >= 500) return 'http_5xx';
  return status >= 400 ? 'http_4xx' : 'http_other';
}

/**
 * What the server refused of a request that it accepted. Some servers say it in JSON though they were asked in protobuf.
 *
 * @throws PermanentError if the answer claims to be protobuf or JSON and is none: whoever sent it speaks no OTLP.
 */
export function partialSuccessOf(answer: HttpAnswer): PartialSuccess {
  if (!answer.complete || answer.body.length === 0) return NOTHING_REJECTED;
  try {
    if (isProtobuf(answer)) return readResponse(new WireReader(answer.body));
    return isJson(answer) ? readJsonResponse(answer.body.toString('utf8')) : NOTHING_REJECTED;
  } catch (cause) {
    throw new PermanentError('invalid_response', 'the server accepted the request with an answer that is not OTLP', {
      cause,
    });
  }
}

/** `Export<Signal>ServiceResponse { 1: partial_success { 1: rejected_<items>, 2: error_message } }` */
function readResponse(reader: WireReader): PartialSuccess {
  let found = NOTHING_REJECTED;
  while (!reader.done) {
    const tag = reader.tag();
    if (tag === ((1 << 3) | 2)) found = readPartialSuccess(reader.message());
    else reader.skip(tag);
  }
  return found;
}

/** The names are those of the protobuf JSON mapping: int64 is text there, and a number is allowed too. */
function readJsonResponse(text: string): PartialSuccess {
  const { partialSuccess } = v.parse(jsonResponse, JSON.parse(text));
  if (partialSuccess == null) return NOTHING_REJECTED;
  const { rejectedSpans, rejectedDataPoints, rejectedLogRecords, errorMessage } = partialSuccess;
  const rejectedItems = rejectedSpans ?? rejectedDataPoints ?? rejectedLogRecords ?? 0;
  return { rejectedItems, message: shorten(errorMessage) };
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

function isJson(answer: HttpAnswer): boolean {
  return answer.headers['content-type']?.startsWith('application/json') ?? false;
}

function shorten(text: string): string {
  return text.length <= MAX_MESSAGE_CHARACTERS ? text : `${text.slice(0, MAX_MESSAGE_CHARACTERS)}…`;
}
