import { startPreview as startServer, type Preview, type PreviewOptions } from '../../../src/console/preview/server.ts';

/** Serves the page as the build wrote it. */
export async function startPreview(options: Omit<PreviewOptions, 'page'>): Promise<Preview> {
  return await startServer({ ...options, page: new URL('../../../dist/console/', import.meta.url) });
}
