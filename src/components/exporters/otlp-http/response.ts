/** The meaning of OTLP/HTTP responses. https://opentelemetry.io/docs/specs/otlp/#otlphttp-response */
import * as v from 'valibot';
import type { PartialSuccess } from '../../../engine/component.ts';
import type { FailureReason } from '../../../metrics/reasons.ts';
import { PermanentError, RetryableError } from '../../../engine/errors.ts';
import type { HttpAnswer } from '../../../engine/net/http-client.ts';
import { parseRetryAfter } from '../../../engine/net/retry-after.ts';
import { WireReader, WireType } from '../../../engine/otlp/wire-reader.ts';

/** Fields of `Export<Signal>ServiceResponse`, of its `partial_success`, and of `google.rpc.Status`. */
const PARTIAL_SUCCESS_TAG = (1 << 3) | WireType.bytes;
const REJECTED_ITEMS_TAG = (1 << 3) | WireType.varint;
const ERROR_MESSAGE_TAG = (2 << 3) | WireType.bytes;
const STATUS_MESSAGE_TAG = (2 << 3) | WireType.bytes;

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

const NOTHING_REJECTED: PartialSuccess = { rejectedItems: 0, message: '' };

/** The error for a response that is not successful. */
export function errorOf(answer: HttpAnswer): PermanentError | RetryableError {
  const code = codeOf(answer.status);
  const reason = `the server answered ${answer.status}${detailOf(answer)}`;
  if (!RETRYABLE.has(answer.status)) return new PermanentError(code, reason);
  return new RetryableError(code, reason, { retryAfterMs: parseRetryAfter(answer.headers['retry-after']) });
}

/** The class of the status: reasons are a small closed set. The message contains the status. */
function codeOf(status: number): FailureReason {
  if (status === 413) return 'too_large';
  if (status === 429) return 'rate_limited';
  if (status >= 500) return 'http_5xx';
  return status >= 400 ? 'http_4xx' : 'http_other';
}

/**
 * The items that the server rejected in a request that it accepted. Some servers respond with JSON to a protobuf request.
 *
 * @throws PermanentError if the response is neither valid protobuf nor valid JSON: the server does not implement OTLP.
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

function readResponse(reader: WireReader): PartialSuccess {
  let found = NOTHING_REJECTED;
  while (!reader.done) {
    const tag = reader.tag();
    if (tag === PARTIAL_SUCCESS_TAG) found = readPartialSuccess(reader.message());
    else reader.skip(tag);
  }
  return found;
}

/** Names follow the protobuf JSON mapping: int64 is text, and a number is allowed too. */
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
    if (tag === REJECTED_ITEMS_TAG) rejectedItems = Number(reader.int64());
    else if (tag === ERROR_MESSAGE_TAG) message = shorten(reader.string());
    else reader.skip(tag);
  }
  return { rejectedItems, message };
}

function detailOf(answer: HttpAnswer): string {
  const text = isProtobuf(answer) ? statusMessage(answer.body) : answer.body.toString('utf8');
  return text.trim() === '' ? '' : `: ${shorten(text.trim())}`;
}

/** The message of a `google.rpc.Status`; empty if the bytes are invalid. */
function statusMessage(body: Uint8Array): string {
  const reader = new WireReader(body);
  try {
    while (!reader.done) {
      const tag = reader.tag();
      if (tag === STATUS_MESSAGE_TAG) return reader.string();
      reader.skip(tag);
    }
  } catch {
    // The status code already shows the failure; an invalid body adds nothing.
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
