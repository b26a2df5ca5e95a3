import type { Server } from 'node:http';

/** Resolves when nothing listens any more; requests under way are cut off. Safe to call twice. */
export async function stopServer(server: Server): Promise<void> {
  if (!server.listening) return;
  await new Promise<void>((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
