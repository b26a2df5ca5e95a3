import type { DiagnosisSettings, Finding } from '../../../engine/component.ts';
import { reachingFinding } from '../../../engine/net/endpoint-findings.ts';
import type { OtlpHttpExporterConfig } from './config.ts';
import { readClientTls } from '../../../engine/net/client-tls.ts';
import { urlFor } from './url.ts';

/** Checks that each configured server accepts connections. */
export async function* diagnose(
  { signals }: DiagnosisSettings,
  config: OtlpHttpExporterConfig,
): AsyncGenerator<Finding> {
  let servers: ReadonlyMap<string, URL>;
  let tls: Awaited<ReturnType<typeof readClientTls>>;
  try {
    servers = new Map([...signals].map((signal) => urlFor(signal, config)).map((url) => [url.origin, url]));
    tls = await readClientTls(config.tls);
  } catch (error) {
    yield { severity: 'error', what: (error as Error).message };
    return;
  }
  const proxy = config.proxy_url && new URL(config.proxy_url.reveal());
  for (const url of servers.values()) yield await reachingFinding(url, { timeoutMs: config.timeout, tls, proxy });
}
