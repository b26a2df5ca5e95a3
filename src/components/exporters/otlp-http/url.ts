import type { Signal } from '../../../engine/component.ts';
import type { OtlpHttpExporterConfig } from './config.ts';

/** The URL for the batches of a signal. @throws Error that names the key to set, if the signal has no endpoint. */
export function urlFor(signal: Signal, config: OtlpHttpExporterConfig): URL {
  const own = config[`${signal}_endpoint`];
  if (own !== undefined) return new URL(own);
  if (config.endpoint === undefined) {
    throw new Error(`has no endpoint for ${signal}: set endpoint or ${signal}_endpoint`);
  }
  const url = new URL(config.endpoint);
  url.pathname = `${url.pathname.replace(/\/$/, '')}/v1/${signal}`;
  return url;
}
