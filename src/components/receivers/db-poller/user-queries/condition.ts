import { quoteTable } from '../../../../postgres/identifier.ts';
import { PostgresError } from '../../../../postgres/postgres-error.ts';
import { mistakeIn, type UserSql } from '../../../../postgres/sql-mistake.ts';
import { userSql } from '../../../../postgres/user-sql.ts';
import type { AskedDatabase } from './asked-database.ts';
import type { UserCounterConfig } from './config.ts';
import type { TableFlaw } from './table-flaw.ts';

/**
 * A condition must depend on the columns of its row alone. A row is examined when it is written, and not again when
 * the time passes or another table changes.
 *
 * PostgreSQL itself parses the condition: its plan names the functions that are left after inlining. None if the condition
 * cannot be planned for another reason than a mistake in it, which running it reports.
 *
 * @throws PostgresError if the database does not answer
 */
export async function conditionFlaws(
  { table, where }: UserCounterConfig,
  { has_table, updated_rows }: { readonly has_table: boolean; readonly updated_rows: number },
  database: AskedDatabase,
): Promise<TableFlaw[]> {
  if (where === undefined || !has_table) return [];
  const sql = userSql(where);
  const statement = `select (${sql}\n) as holds from ${quoteTable(table)} entry`;
  const plan = await database.plan(statement);
  if (plan instanceof PostgresError) return plan.isMistake ? [mistaken({ key: 'where', sql, statement }, plan)] : [];
  if (JSON.stringify(plan).includes('"Subplan Name"')) return [flaw('reads other rows, in a subquery')];
  const expression = withoutLiterals(outputsOf((plan as [{ Plan: PlanNode }])[0].Plan).join(' '));
  const keyword = CHANGING.exec(expression)?.[0];
  if (keyword !== undefined) return [flaw(`uses ${keyword.toLowerCase()}`)];
  const names = [...expression.matchAll(CALL)].map(([, called]) => called!);
  const [found] = await database.ask(VOLATILITY, [names, STEADY]);
  const changing = found!['changing'] as readonly string[];
  if (changing.length > 0) return [flaw(`uses ${changing.join(', ')}, which is not immutable`)];
  return updated_rows > 0 && isState(expression) ? [fleeting(where)] : [];
}

function mistaken(where: UserSql, error: PostgresError): TableFlaw {
  return { failure: error.reason, what: mistakeIn(where, error), repair: `Correct where: ${where.sql}` };
}

/** True for `state = 'paid'`, and false where a second condition shows that the row has reached a step. */
function isState(expression: string): boolean {
  return / = (?!ANY )/.test(expression) && !expression.includes('IS NOT NULL');
}

function fleeting(where: string): TableFlaw {
  return {
    what: `rows are updated, and one that satisfies ${where} for less than a poll does not count`,
    repair: 'Use a column that stays, for example paid_at is not null, or add the later states to the condition',
  };
}

function flaw(why: string): TableFlaw {
  return {
    failure: 'other',
    what: `where ${why}: a row is examined only when it is written, so it would not count when the condition becomes true later`,
    repair: 'Use a condition over columns of the row that its writer sets, for example paid_at is not null',
  };
}

interface PlanNode {
  readonly Output?: readonly string[];
  readonly Plans?: readonly PlanNode[];
}

/** In the plan of a table with partitions, each of them has the expression, and the table itself may not. */
function outputsOf({ Output = [], Plans = [] }: PlanNode): string[] {
  return [...Output, ...Plans.flatMap(outputsOf)];
}

function withoutLiterals(expression: string): string {
  return expression.replaceAll(/'(?:[^']|'')*'/g, "''");
}

/** Keywords that PostgreSQL writes in upper case, unlike a column of the same name. */
const CHANGING =
  /\b(?:CURRENT_(?:CATALOG|DATE|ROLE|SCHEMA|TIMESTAMP|TIME|USER)|LOCALTIMESTAMP|LOCALTIME|SESSION_USER|USER)\b/;

/** The name before an opening parenthesis, with or without schema. */
const CALL = /((?:[a-z_][\w$]*|"(?:[^"]|"")+")(?:\.(?:[a-z_][\w$]*|"(?:[^"]|"")+"))?)\(/g;

/** Functions of PostgreSQL that are not immutable only because of settings that siphon fixes. */
const STEADY = [
  'array_to_string', 'concat', 'concat_ws', 'date_part', 'date_trunc', 'extract', 'format', 'json_build_array', 'json_build_object',
  'jsonb_build_array', 'jsonb_build_object', 'jsonb_path_exists_tz', 'jsonb_path_match_tz', 'make_timestamptz', 'row_to_json',
  'timezone', 'to_char', 'to_date', 'to_json', 'to_jsonb', 'to_number', 'to_timestamp',
]; // prettier-ignore

/** A name with several functions is changing if one of them is. */
const VOLATILITY = `
  select coalesce(json_agg(distinct name), '[]') as changing
  from unnest($1::text[]) called (name)
  join pg_proc on proname = (parse_ident(name))[array_upper(parse_ident(name), 1)]
  join pg_namespace n on n.oid = pronamespace
  where case when array_length(parse_ident(name), 1) > 1 then nspname = (parse_ident(name))[1]
             else pg_function_is_visible(pg_proc.oid) end
    and provolatile <> 'i' and not (nspname = 'pg_catalog' and proname = any ($2::text[]))`;
