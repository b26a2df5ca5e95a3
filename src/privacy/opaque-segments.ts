/** Finds tokens in the paths of addresses: parts that only a program can have written. */
import { mayHaveCodes, mayHaveOpaqueParts, replaceOpaqueParts } from '../engine/schema/opaque-parts.ts';
import { FILTERED } from './secret-names.ts';

/** Addresses, and requests as names and log lines have them. The path ends at a query. */
const PATHS =
  /(?:\bhttps?:\/\/[^\s/?#"'<>]{1,1024}|\b(?:GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS)\s)(\/[^\s?#"'<>]{8,16384})/g;

/** A path without a host. It may be that of a file, which has no codes. */
const BARE_PATHS = /(?<![^\s"'(=,[])\/[^\s?#"'<>]{4,16384}/g;

/** Replaces tokens in each path of a text by `[Filtered]`. Takes time in proportion to the length of the text. */
export function withoutOpaqueSegments(text: string): string {
  if (!mayHaveOpaqueParts(text)) return text;
  const bare = mayHaveCodes(text) ? text.replace(BARE_PATHS, withoutOpaqueParts) : text;
  return bare.replace(PATHS, (all: string, path: string) => {
    const cleaned = withoutOpaqueParts(path);
    return cleaned === path ? all : all.slice(0, all.length - path.length) + cleaned;
  });
}

/** The same for a text that is a path, perhaps with a query. */
export function withoutOpaqueParts(path: string): string {
  return replaceOpaqueParts(path, () => FILTERED);
}
