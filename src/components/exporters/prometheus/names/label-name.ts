import type { Naming } from './naming.ts';

/** Prometheus ends a page at this character in a name. */
export const NUL = '\0';

/** The label name of an attribute, as the stock Collector translates it; undefined if nothing valid remains. */
export function labelName(key: string, { utf8 }: Pick<Naming, 'utf8'>): string | undefined {
  const translated = utf8 ? key : escape(key);
  return /^_*$/.test(translated) || translated.includes(NUL) ? undefined : translated;
}

function escape(key: string): string {
  const escaped = key.replaceAll(/[^A-Za-z0-9]/gu, '_');
  return /^[0-9]/.test(escaped) ? `key_${escaped}` : escaped;
}
