import { describeError } from '../engine/describe-error.ts';
import { PostgresError } from './postgres-error.ts';

/** SQL that a user wrote. */
export interface UserSql {
  /** The key of the configuration with the SQL. */
  readonly key: string;
  readonly sql: string;
  /** The statement that contains it. */
  readonly statement: string;
}

/** Awaits the answer to a user's SQL. The error names the place of a mistake in it. @throws as `answer` does */
export async function locatingMistakes<T>(answer: Promise<T>, asked: UserSql): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    if (!(error instanceof PostgresError && error.isMistake) || placeOf(asked, error) === '') throw error;
    throw new PostgresError(error.reason, mistakeIn(asked, error), { cause: error.cause });
  }
}

/** A sentence with the mistake and its place, as far as the server reports them. */
export function mistakeIn(asked: UserSql, error: PostgresError): string {
  return `${asked.key} has a mistake${placeOf(asked, error)}: ${describeError(error.cause)}`;
}

/** Empty: the server names no place in the SQL. */
function placeOf({ sql, statement }: UserSql, { position, isSyntaxError }: PostgresError): string {
  const characters = charactersOf(sql);
  const at = (position ?? 0) - charactersOf(statement.slice(0, statement.indexOf(sql))).length;
  if (at < 1) return '';
  // The server notices a missing part at the next word, which siphon wrote.
  if (at > characters.length) return isSyntaxError ? ' at its end' : '';
  const lines = characters.slice(0, at).join('').split('\n');
  const character = `character ${charactersOf(lines.at(-1)!).length}`;
  return sql.includes('\n') ? ` at line ${lines.length}, ${character}` : ` at ${character}`;
}

/** PostgreSQL counts characters, not the units of UTF-16. */
function charactersOf(text: string): readonly string[] {
  return text.match(/./gsu) ?? [];
}
