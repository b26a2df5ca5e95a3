/** The flags at the beginning of a pattern that JavaScript has too. */
const FLAGS = /^\(\?([ims]+)\)/;
const MAX_LENGTH = 4096;

/**
 * A regular expression in the syntax of Go, as configurations of the Collector have it, for JavaScript. It matches anywhere
 * in a text.
 *
 * @throws Error that describes what JavaScript does not have.
 */
export function compileGoPattern(source: string): RegExp {
  if (source.length > MAX_LENGTH) throw new Error(`the pattern is longer than ${MAX_LENGTH} characters`);
  const [prefix = '', flags = ''] = FLAGS.exec(source) ?? [];
  const body = source
    .slice(prefix.length)
    .replaceAll('(?P<', '(?<')
    .replace(/^\\A/, '^')
    .replace(/\\z$/, flags.includes('m') ? '(?![^])' : '$');
  return new RegExp(body, `u${flags}`);
}
