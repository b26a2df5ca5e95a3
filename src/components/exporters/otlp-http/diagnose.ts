import type { DiagnosisSettings, Finding } from '../../../engine/component.ts';
import { reachingFinding } from '../../../engine/net/endpoint-findings.ts';
import type { OtlpHttpExporterConfig } from './config.ts';
import { readTls } from './tls-files.ts';
import { urlFor } from './url.ts';

/** Checks that each configured server accepts connections. */
export async function* diagnose(
  { signals }: DiagnosisSettings,
  config: OtlpHttpExporterConfig,
): AsyncGenerator<Finding> {
  let servers: ReadonlyMap<string, URL>;
  let tls: Awaited<ReturnType<typeof readTls>>;
  try {
    servers = new Map([...signals].map((signal) => urlFor(signal, config)).map((url) => [url.origin, url]));
    tls = await readTls(config.tls);
  } catch (error) {
    yield { severity: 'error', what: (error as Error).message };
    return;
  }
  for (const url of servers.values()) yield await reachingFinding(url, { timeoutMs: config.timeout, tls });
}
