-- The output of `siphon doctor --sql` prepares the database that siphon polls. Run it in that database, as a role that
-- may create roles and owns the tables. It can be run again, and `siphon doctor --sql --undo` prints what reverts it.
--
-- It sets no password: set it with `\password siphon` in psql, which keeps it out of the server's log.

-- The role. It may have the 3 connections of siphon and one more, for psql, or until the server notices that a client
-- is gone. siphon sets its own limits in each transaction; these concern other clients that use the role.
do $$
begin
  if not exists (select from pg_roles where rolname = 'siphon') then
    create role siphon;
  elsif exists (select from pg_roles where rolname = 'siphon' and rolsuper)
        or exists (select from pg_class class join pg_namespace schema on schema.oid = class.relnamespace
                   where class.relkind in ('r', 'p') and schema.nspname <> 'information_schema' and schema.nspname !~ '^pg_'
                     and (class.relowner = (select oid from pg_roles where rolname = 'siphon')
                          or has_table_privilege('siphon', class.oid, 'insert, update, delete'))) then
    raise exception 'role % is a superuser, or writes tables', 'siphon'
      using hint = 'siphon needs a role of its own: siphon doctor --sql --role NAME';
  end if;
  alter role siphon with login;
  if exists (select from pg_roles where rolname = 'siphon' and rolconnlimit < 4) then
    alter role siphon connection limit 4;
  end if;
  alter role siphon set default_transaction_read_only = on;
  alter role siphon set statement_timeout = '60s';
  alter role siphon set lock_timeout = '5s';
  alter role siphon set idle_in_transaction_session_timeout = '60s';
  execute format('grant connect on database %I to siphon', current_database());
end
$$;

-- The activity of other roles' sessions: pg_monitor without the settings and without functions that read whole tables.
-- Not every provider lets you grant it. Without it, the metrics of sessions are absent.
do $$
begin
  grant pg_read_all_stats to siphon;
exception when insufficient_privilege then
  raise warning 'cannot grant pg_read_all_stats: %', sqlerrm;
end
$$;

-- The functions that it calls. A provider may reserve them: the metrics of these functions are absent then.
do $$
declare
  wanted record;
begin
  for wanted in
    values
      ('pg_ls_waldir()')
  loop
    begin
      execute format('grant execute on function pg_catalog.%s to %I', wanted.column1, 'siphon');
    exception when insufficient_privilege or undefined_function then
      raise warning 'cannot grant execute on %: %', wanted.column1, sqlerrm;
    end;
  end loop;
end
$$;

-- The sequences: it reads how far they are. Run this again when there are new ones.
do $$
declare
  found record;
begin
  for found in
    select schema.nspname, class.relname
    from pg_class class join pg_namespace schema on schema.oid = class.relnamespace
    where class.relkind = 'S' and class.relpersistence <> 't'
      and schema.nspname <> 'information_schema' and schema.nspname !~ '^pg_'
      and not has_table_privilege('siphon', class.oid, 'select')
  loop
    begin
      execute format('grant select on sequence %I.%I to %I', found.nspname, found.relname, 'siphon');
    exception when insufficient_privilege then
      raise warning 'cannot grant select on sequence %.%: %', found.nspname, found.relname, sqlerrm;
    end;
  end loop;
end
$$;
