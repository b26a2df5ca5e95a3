import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { plainAttributes, type CapturedSpan } from '../otlp/otlp-capture.ts';
import { runObservedFile, type ObservedScript } from './observed-script.ts';

const folder = new URL('../frameworks/', import.meta.url);

/** Runs a service of `tests/support/frameworks`, or a bundle of one, by default with the built preload, and sends it one request of each kind. */
export async function runFramework(
  service: string,
  environment: Readonly<Record<string, string>> = {},
  preload = 'siphon-otel/preload',
): Promise<ObservedScript> {
  const [requests, file] = ['requests.mjs', service].map((name) => path.resolve(fileURLToPath(folder), name));
  return await runObservedFile([requests!, file!], environment, preload);
}

/** Name, status and exceptions of each server span: `GET /fail 500 RangeError: no coffee`. */
export function servedRequests(spans: readonly CapturedSpan[]): string[] {
  return spans
    .filter(({ kind }) => kind === 'SPAN_KIND_SERVER')
    .map(({ name, attributes, events = [] }) => {
      const exceptions = events.map((event) => plainAttributes(event.attributes));
      return [
        name,
        plainAttributes(attributes)['http.response.status_code'],
        ...exceptions.map((exception) => `${exception['exception.type']}: ${exception['exception.message']}`),
      ].join(' ');
    });
}
