/** The text of a file from `siphon init`, after a user did what its comment about the poller asks for. */
export function withPoller(text: string): string {
  const [commented] = /^ {2}# db_poller:\n(?: {2}#.*\n)+/m.exec(text) ?? [];
  if (commented === undefined) throw new Error('the file contains no poller that is a comment');
  const poller = commented.replaceAll(/^ {2}# /gm, '  ');
  return text
    .replace(commented, poller)
    .replaceAll(/^ {4}(metrics|logs):\n {6}receivers: \[otlp\]/gm, '    $1:\n      receivers: [otlp, db_poller]');
}
