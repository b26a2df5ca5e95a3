/** A pattern of the output that a page shows: `…` stands for any text, and everything else must be there as it is. */
export function shownOutput(text: string): RegExp {
  const parts = text.trimEnd().split(/\n?…\n?/);
  return new RegExp(parts.map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')).join('[^]*'));
}
