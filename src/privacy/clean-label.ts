import { Privacy } from './privacy.ts';

const privacy = new Privacy();

/** Not a code for one use. */
const STATUS_CODE = /^[1-5](?:\d\d|xx)$/i;

/** The text of a label without secrets; undefined if its name is that of personal data. */
export function cleanLabel(name: string, text: string): string | undefined {
  if (/code$/i.test(name) && STATUS_CODE.test(text)) return text;
  const clean = privacy.clean(name, text);
  return typeof clean === 'string' ? clean : undefined;
}
