import type { QueryResult, Row } from '../../../postgres/read-only-pool.ts';

/** Undefined if the answer lacks the column, null for NULL. */
export type ReadColumn = (row: Row, column: string) => string | null | undefined;

/**
 * Reads columns as the same text as the stock receiver: `true` and `false`, times as RFC 3339 in whole seconds, bytes as
 * UTF-8, all other types as the server wrote them.
 */
export function columnReader(columns: QueryResult['columns']): ReadColumn {
  return (row, column) => {
    const value = row[column] as string | null | undefined;
    return typeof value === 'string' ? (rewrite[columns.get(column) ?? 0]?.(value) ?? value) : value;
  };
}

/** Conversions by the OIDs of pg_type, which never change. */
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
