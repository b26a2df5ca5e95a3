import type { IncomingMessage } from 'node:http';
import { PromqlError } from '../../../../promql/promql-error.ts';
import { durationMs } from '../../../../promql/syntax/literal.ts';

const MAX_BODY_BYTES = 1_048_576;

/** The parameters of a request, from its address and from the form in its body. */
export async function readParameters(request: IncomingMessage): Promise<URLSearchParams> {
  const url = request.url ?? '';
  const parameters = new URLSearchParams(url.includes('?') ? url.slice(url.indexOf('?') + 1) : '');
  if (request.method !== 'POST') return parameters;
  for (const [name, value] of new URLSearchParams(await bodyOf(request))) parameters.append(name, value);
  return parameters;
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  let length = 0;
  for await (const part of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    length += part.length;
    if (length > MAX_BODY_BYTES) throw new PromqlError('bad_data', `the body is longer than ${MAX_BODY_BYTES} bytes`);
    parts.push(part);
  }
  return Buffer.concat(parts).toString();
}

export function required(parameters: URLSearchParams, name: string): string {
  const value = parameters.get(name);
  if (value === null || value === '') throw new PromqlError('bad_data', `the parameter ${name} is missing`);
  return value;
}

/** Unix milliseconds of a time in seconds or as in RFC 3339. */
export function timeMs(parameters: URLSearchParams, name: string, absentMs: number): number {
  const text = parameters.get(name);
  if (text === null || text === '') return absentMs;
  const ms = /^-?[\d.]+(?:e[-+]?\d+)?$/i.test(text) ? Math.round(Number(text) * 1000) : dateMs(text);
  // Beyond, a millisecond is not exact any more.
  if (Number.isSafeInteger(ms)) return ms;
  throw new PromqlError('bad_data', `the parameter ${name} is not a time: ${text}`);
}

function dateMs(text: string): number {
  const isDate = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[-+]\d\d:\d\d)$/.test(text);
  return isDate ? Date.parse(text) : NaN;
}

/** Milliseconds of seconds or of a duration such as `5m`. */
export function stepMs(parameters: URLSearchParams, name: string): number {
  const text = required(parameters, name);
  const ms = durationMs(text) ?? Math.round(Number(text) * 1000);
  if (Number.isFinite(ms)) return ms;
  throw new PromqlError('bad_data', `the parameter ${name} is not a duration: ${text}`);
}
