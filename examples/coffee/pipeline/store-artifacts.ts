import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { recordArtifact, recordStorageOperation, runOperation } from 'siphon-otel/pipeline';
import type { PooledDatabase } from './database.ts';
import type { FetchedPage } from './fetch-products.ts';
import type { ProductSource } from './product-source.ts';

export interface ArtifactStorage {
  readonly database: PooledDatabase;
  /** Contains one folder for each run. */
  readonly folder: string;
}

/** A.5: saves the shop's responses to disk and records them in the database. Returns the number of artifacts. */
export async function storeArtifacts(
  { database, folder }: ArtifactStorage,
  source: ProductSource,
  runId: string,
  pages: readonly FetchedPage[],
): Promise<number> {
  return await runOperation('A.5', { source: source.slug }, async () => {
    await mkdir(join(folder, runId), { recursive: true });
    for (const [index, page] of pages.entries()) {
      const savedPath = page.body === '' ? null : join(folder, runId, `page-${index + 1}.body`);
      if (savedPath !== null) await save(savedPath, page.body);
      await database.rpc('rpc_record_artifact', {
        run_id: runId,
        url: page.url,
        http_status: page.status ?? null,
        body_len: Buffer.byteLength(page.body),
        saved_html_path: savedPath,
      });
      recordArtifact({ platform: source.platform }, page.status);
    }
    return pages.length;
  });
}

async function save(path: string, body: string): Promise<void> {
  try {
    await writeFile(path, body);
    recordStorageOperation({ operation: 'write', outcome: 'ok' });
  } catch (error) {
    recordStorageOperation({ operation: 'write', outcome: 'error' });
    throw error;
  }
}
