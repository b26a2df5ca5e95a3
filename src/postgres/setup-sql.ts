import type { SetupSql } from '../engine/component.ts';
import type { TableName } from './asked-tables.ts';
import { quoteIdentifier, quoteLiteral, readableIdentifier } from './identifier.ts';

/** The needs of a component in its database. */
export interface DatabaseNeeds {
  /** The role that it logs in as, spelled as in pg_roles. */
  readonly role: string;
  /** The connections that it holds at the same time. */
  readonly connections: number;
  /** The tables that it reads. */
  readonly tables: readonly TableName[];
  /** The functions that it calls and that not every role may call, with their arguments. */
  readonly functions: readonly string[];
  /** True if it reads how far the sequences of the database are. */
  readonly readsSequences: boolean;
  /** SQL of the user, by the name of its query: it reads further tables, which the database finds. */
  readonly statements: ReadonlyMap<string, string>;
  readonly indexes: readonly NeededIndex[];
  /** The names of further databases of the server that it reads. Default: none. */
  readonly further?: readonly string[];
  /** Remarks about the result, for the person who runs it. */
  readonly remarks: readonly string[];
}

export interface NeededIndex extends TableName {
  /** The name of the new index. */
  readonly name: string;
  /** The part of `create index` after the name of the table. */
  readonly definition: string;
  /** The queries that read the whole table without it. */
  readonly queries: readonly string[];
  /** False if the table does not exist, or has an index that replaces it. */
  readonly isMissing: boolean;
  /** True if an interrupted build has left an index of this name, which must be removed first. */
  readonly isInvalid?: boolean;
  /** True for a partitioned table, whose index cannot be built concurrently. */
  readonly isPartitioned?: boolean;
}

/**
 * The statements that the owner of a database runs so that the component can read it, and those that revert them. Both can
 * be run again. Tables that do not exist are a warning, not an error.
 */
export function setupSql(needs: DatabaseNeeds): SetupSql {
  const { tables, functions, readsSequences, statements, indexes, further = [] } = needs;
  const reads = tables.length > 0 || statements.size > 0;
  const missing = indexes.filter(({ isMissing }) => isMissing);
  const parts = [
    header(needs),
    loginRole(needs),
    ...(functions.length > 0 ? [grantsOfFunctions(needs)] : []),
    ...(readsSequences ? [grantsOfSequences(needs)] : []),
    ...(tables.length > 0 ? [grants(needs)] : []),
    ...(statements.size > 0 ? [grantsOfStatements(needs)] : []),
    ...(reads ? [policies(needs)] : []),
    ...(missing.length > 0 ? [creations(missing)] : []),
    ...further.map((name) => `${connected(name)}\n${grantsOfConnecting(needs)}${readsSequences ? `\n\n${grantsOfSequences(needs)}` : ''}`),
  ]; // prettier-ignore
  const undo = [
    undoHeader(needs),
    ...dropped(indexes),
    ...(further.length > 0 ? [withoutGrants(needs)] : []),
    ...further.map((name) => `${connected(name)}\n${withoutGrants(needs)}`),
    withoutRole(needs),
  ];
  return { apply: parts.join('\n\n'), undo: undo.join('\n\n') };
}

function header({ role: name, remarks }: DatabaseNeeds): string {
  return comment(
    `The output of \`siphon doctor --sql\` prepares the database that siphon polls. Run it in that database, as a role that may create roles and owns the tables. It can be run again, and \`siphon doctor --sql --undo\` prints what reverts it.`,
    `It sets no password: set it with \`\\password ${name}\` in psql, which keeps it out of the server's log.`,
    ...remarks,
  );
}

function loginRole({ role: name, connections }: DatabaseNeeds): string {
  const needed = connections + 1;
  const sqlName = readableIdentifier(name);
  const literal = quoteLiteral(name);
  return `${comment(`The role. It may have the ${connections} connections of siphon and one more, for psql, or until the server notices that a client is gone. siphon sets its own limits in each transaction; these concern other clients that use the role.`)}
${block(`begin
  if not exists (select from pg_roles where rolname = ${literal}) then
    create role ${sqlName};
  elsif exists (select from pg_roles where rolname = ${literal} and rolsuper)
        or exists (select from pg_class class join pg_namespace schema on schema.oid = class.relnamespace
                   where class.relkind in ('r', 'p') and schema.nspname <> 'information_schema' and schema.nspname !~ '^pg_'
                     and (class.relowner = (select oid from pg_roles where rolname = ${literal})
                          or has_table_privilege(${literal}, class.oid, 'insert, update, delete'))) then
    raise exception 'role % is a superuser, or writes tables', ${literal}
      using hint = 'siphon needs a role of its own: siphon doctor --sql --role NAME';
  end if;
  alter role ${sqlName} with login;
  if exists (select from pg_roles where rolname = ${literal} and rolconnlimit < ${needed}) then
    alter role ${sqlName} connection limit ${needed};
  end if;
  alter role ${sqlName} set default_transaction_read_only = on;
  alter role ${sqlName} set statement_timeout = '60s';
  alter role ${sqlName} set lock_timeout = '5s';
  alter role ${sqlName} set idle_in_transaction_session_timeout = '60s';
  execute format('grant connect on database %I to ${sqlName.replaceAll("'", "''")}', current_database());
end`)}

${comment(`The activity of other roles' sessions: pg_monitor without the settings and without functions that read whole tables. Not every provider lets you grant it. Without it, the metrics of sessions are absent.`)}
${block(`begin
  grant pg_read_all_stats to ${sqlName};
exception when insufficient_privilege then
  raise warning 'cannot grant pg_read_all_stats: %', sqlerrm;
end`)}`;
}

/** A command of psql. */
function connected(database: string): string {
  return `-- The further database ${database.replaceAll(/\s+/g, ' ')}. This line is a command of psql: elsewhere, connect to it and run the rest.\n\\connect -reuse-previous=on ${quoteIdentifier(database)}\n`;
}

function grantsOfConnecting({ role: name }: DatabaseNeeds): string {
  return block(`begin
  execute format('grant connect on database %I to %I', current_database(), ${quoteLiteral(name)});
end`);
}

function grantsOfFunctions({ role: name, functions }: DatabaseNeeds): string {
  const rows = functions.map((signature) => `      (${quoteLiteral(signature)})`);
  return `${comment('The functions that it calls. A provider may reserve them: the metrics of these functions are absent then.')}
${block(`declare
  wanted record;
begin
  for wanted in
    values
${rows.join(',\n')}
  loop
    begin
      execute format('grant execute on function pg_catalog.%s to %I', wanted.column1, ${quoteLiteral(name)});
    exception when insufficient_privilege or undefined_function then
      raise warning 'cannot grant execute on %: %', wanted.column1, sqlerrm;
    end;
  end loop;
end`)}`;
}

/** SELECT shows how far a sequence is. USAGE, which also does, would let the role advance it. */
function grantsOfSequences({ role: name }: DatabaseNeeds): string {
  return `${comment('The sequences: it reads how far they are. Run this again when there are new ones.')}
${block(`declare
  found record;
begin
  for found in
    select schema.nspname, class.relname
    from pg_class class join pg_namespace schema on schema.oid = class.relnamespace
    where class.relkind = 'S' and class.relpersistence <> 't'
      and schema.nspname <> 'information_schema' and schema.nspname !~ '^pg_'
      and not has_table_privilege(${quoteLiteral(name)}, class.oid, 'select')
  loop
    begin
      execute format('grant select on sequence %I.%I to %I', found.nspname, found.relname, ${quoteLiteral(name)});
    exception when insufficient_privilege then
      raise warning 'cannot grant select on sequence %.%: %', found.nspname, found.relname, sqlerrm;
    end;
  end loop;
end`)}`;
}

function grants({ role: name, tables }: DatabaseNeeds): string {
  const rows = uniqueTables(tables).map(
    ({ schema, table }) => `      (${quoteLiteral(schema)}, ${quoteLiteral(table)})`,
  );
  return `-- The tables that it reads.
${block(`declare
  wanted record;
begin
  for wanted in
    values
${rows.join(',\n')}
  loop
    if to_regclass(format('%I.%I', wanted.column1, wanted.column2)) is null then
      raise warning 'table %.% does not exist', wanted.column1, wanted.column2;
    else
      execute format('grant usage on schema %I to %I', wanted.column1, ${quoteLiteral(name)});
      execute format('grant select on %I.%I to %I', wanted.column1, wanted.column2, ${quoteLiteral(name)});
    end if;
  end loop;
end`)}`;
}

/** PostgreSQL itself finds the tables of a statement: those that a view of it depends on. A view reads its own as its owner. */
function grantsOfStatements({ role: name, statements }: DatabaseNeeds): string {
  const rows = [...statements].map(
    ([query, sql]) => `      (${quoteLiteral(query)}, ${quoteLiteral(sql.replaceAll('\r', ''))})`,
  );
  return `-- The tables that your SQL reads.
${block(`declare
  wanted record;
  found record;
begin
  for wanted in
    values
${rows.join(',\n')}
  loop
    begin
      execute 'create temporary view siphon_reads as select count(*) as answers from (' || wanted.column2 || E'\\n) as asked';
      for found in
        with recursive source (oid) as (
          select 'pg_temp.siphon_reads'::regclass::oid
          union
          select dependency.refobjid
          from source
          join pg_class reader on reader.oid = source.oid
          join pg_rewrite rule on rule.ev_class = reader.oid
          join pg_depend dependency on dependency.classid = 'pg_rewrite'::regclass and dependency.objid = rule.oid
               and dependency.refclassid = 'pg_class'::regclass
          where reader.oid = 'pg_temp.siphon_reads'::regclass
             or reader.reloptions && '{security_invoker=true,security_invoker=on,security_invoker=1}'
        )
        select schema.nspname, class.relname
        from source
        join pg_class class on class.oid = source.oid
        join pg_namespace schema on schema.oid = class.relnamespace
        where class.relkind in ('r', 'p', 'v', 'm', 'f') and schema.nspname <> 'information_schema' and schema.nspname !~ '^pg_'
      loop
        execute format('grant usage on schema %I to %I', found.nspname, ${quoteLiteral(name)});
        execute format('grant select on %I.%I to %I', found.nspname, found.relname, ${quoteLiteral(name)});
      end loop;
      drop view pg_temp.siphon_reads;
    exception when others then
      raise warning 'cannot find out which tables % reads, grant select on them: %', wanted.column1, sqlerrm;
    end;
  end loop;
end`)}`;
}

function policies({ role: name }: DatabaseNeeds): string {
  const literal = quoteLiteral(name);
  const policy = quoteLiteral(policyOf(name));
  return `${comment(`Lets it read all rows of these tables if they have row level security. Without a policy it would see no rows, and get no error. Run this again when a table gets row level security.`)}
${block(`declare
  secured regclass;
begin
  for secured in
    select oid from pg_class
    where relrowsecurity and relkind in ('r', 'p')
      and exists (select from aclexplode(relacl) where grantee = (select oid from pg_roles where rolname = ${literal}) and privilege_type = 'SELECT')
      and not exists (select from pg_policy where polrelid = pg_class.oid and polname = ${policy})
  loop
    execute format('create policy %I on %s for select to %I using (true)', ${policy}, secured, ${literal});
  end loop;
end`)}`;
}

function policyOf(name: string): string {
  return `${name}_reads`;
}

function creations(indexes: readonly NeededIndex[]): string {
  const statements = indexes.map((index) => {
    const create = index.isPartitioned === true ? 'create index' : 'create index concurrently';
    const remark =
      index.isPartitioned === true
        ? `\n-- It blocks writers of the partitioned table, unless each partition already has such an index.`
        : '';
    return `-- For ${index.queries.join(', ')}.${remark}
${index.isInvalid === true ? `drop index if exists ${nameOf(index)};\n` : ''}${create} if not exists ${readableIdentifier(index.name)}
  on ${tableOf(index)} ${index.definition};`;
  });
  const intro = `The indexes that keep the queries on large tables cheap. They are built without blocking writers, which does not work inside a transaction: use psql without --single-transaction. You need not create an index if another one begins with the same columns.`;
  return [comment(intro), ...statements].join('\n\n');
}

/** Not concurrently, which fails for the index of a partitioned table. */
function dropped(indexes: readonly NeededIndex[]): string[] {
  if (indexes.length === 0) return [];
  const drops = indexes.map((index) => `drop index if exists ${nameOf(index)};`);
  return [
    `-- A table that is locked for longer is an error, which the undo can be run again after.\nset lock_timeout = '5s';\n${drops.join('\n')}`,
  ];
}

function nameOf({ schema, name }: NeededIndex): string {
  return `${readableIdentifier(schema)}.${readableIdentifier(name)}`;
}

function undoHeader({ role: name }: DatabaseNeeds): string {
  return comment(
    `Reverts what \`siphon doctor --sql\` prints: drops the indexes, ends the sessions of role ${name}, and drops it with its grants and policies. Run it in the polled database. If the role has grants in other databases, revoke them there first. It can be run again.`,
  );
}

/** In one database: the role itself stays. */
function withoutGrants({ role: name }: DatabaseNeeds): string {
  const sqlName = readableIdentifier(name);
  return block(`begin
  if exists (select from pg_roles where rolname = ${quoteLiteral(name)}) then
    grant ${sqlName} to current_user;
    drop owned by ${sqlName};
  end if;
end`);
}

/** Since PostgreSQL 16 a role that created another one is not a member of it, and may not drop what it owns. */
function withoutRole({ role: name }: DatabaseNeeds): string {
  const sqlName = readableIdentifier(name);
  return block(`begin
  if exists (select from pg_roles where rolname = ${quoteLiteral(name)}) then
    perform pg_terminate_backend(pid) from pg_stat_activity where usename = ${quoteLiteral(name)};
    grant ${sqlName} to current_user;
    drop owned by ${sqlName};
    drop role ${sqlName};
  end if;
end`);
}

function uniqueTables(tables: readonly TableName[]): TableName[] {
  return [...new Map(tables.map((table) => [tableOf(table), table])).values()];
}

function tableOf({ schema, table }: TableName): string {
  return `${readableIdentifier(schema)}.${readableIdentifier(table)}`;
}

/** An anonymous block, whose tag does not occur in it. */
function block(body: string): string {
  let tag = '$$';
  for (let i = 1; body.includes(tag); i++) tag = `$siphon${i}$`;
  return `do ${tag}\n${body}\n${tag};`;
}

const WIDTH = 120;

/** Each paragraph as lines of a comment. */
function comment(...paragraphs: readonly string[]): string {
  return paragraphs.map((paragraph) => wrapped(paragraph).join('\n')).join('\n--\n');
}

function wrapped(paragraph: string): string[] {
  const lines: string[] = [];
  let line = '--';
  for (const word of paragraph.split(/\s+/)) {
    if (line.length + 1 + word.length > WIDTH) {
      lines.push(line);
      line = '--';
    }
    line += ` ${word}`;
  }
  return [...lines, line];
}
