/** Finds the end of an SQL comment. PostgreSQL nests comments, which a regular expression cannot follow. */
/** Returns the index behind a comment, within which others begin and end. @param start the index behind its first mark. */
export function endOfComment(text: string, start: number): number {
  const marks = /\/\*|\*\//g;
  marks.lastIndex = start;
  for (let open = 1; ;) {
    const mark = marks.exec(text);
    if (mark === null) return text.length;
    open += mark[0] === '/*' ? 1 : -1;
    if (open === 0) return marks.lastIndex;
  }
}
