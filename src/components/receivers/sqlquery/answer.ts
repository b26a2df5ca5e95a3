import type { QueryResult, Row } from '../../../postgres/read-only-pool.ts';

/** Undefined where the answer has no such column, null for NULL. */
export type ReadColumn = (row: Row, column: string) => string | null | undefined;

/**
 * Reads columns as the texts that the stock receiver makes of PostgreSQL's types: `true` and `false`, times of RFC 3339
 * in whole seconds, bytes as UTF-8; what else there is as the server wrote it.
 */
export function columnReader(columns: QueryResult['columns']): ReadColumn {
  return (row, column) => {
    const value = row[column] as string | null | undefined;
    return typeof value === 'string' ? (rewrite[columns.get(column) ?? 0]?.(value) ?? value) : value;
  };
}

/** By the OIDs of pg_type, which never change. */
const rewrite: Readonly<Record<number, (text: string) => string>> = {
  16: (text) => (text === 't' ? 'true' : 'false'), // bool
  17: utf8OfBytes, // bytea
  1082: rfc3339, // date
  1114: rfc3339, // timestamp
  1184: rfc3339, // timestamptz
};

function utf8OfBytes(text: string): string {
  return text.startsWith(String.raw`\x`) ? Buffer.from(text.slice(2), 'hex').toString('utf8') : text;
}

const ISO_STYLE = /^(?<date>\d{4}-\d\d-\d\d)(?: (?<time>\d\d:\d\d:\d\d)(?:\.\d+)?(?<zone>[+-]\d\d(?::\d\d)?)?)?$/;

/** Other styles, eras and infinity stay as they are. */
function rfc3339(text: string): string {
  const { date, time = '00:00:00', zone = '+00' } = ISO_STYLE.exec(text)?.groups ?? {};
  if (date === undefined) return text;
  const offset = /^[+-]00(?::00)?$/.test(zone) ? 'Z' : zone.padEnd(6, ':00');
  return `${date}T${time}${offset}`;
}
