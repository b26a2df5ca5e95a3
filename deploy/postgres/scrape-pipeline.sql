-- The output of `siphon doctor --sql` prepares the database that siphon polls. Run it in that database, as a role that
-- may create roles and owns the tables. It can be run again, and `siphon doctor --sql --undo` prints what reverts it.
--
-- It sets no password: set it with `\password siphon` in psql, which keeps it out of the server's log.
--
-- The database was not asked: these indexes may exist under other names, and CONCURRENTLY does not work for a
-- partitioned table.

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

-- The tables that it reads.
do $$
declare
  wanted record;
begin
  for wanted in
    values
      ('public', 'roasters'),
      ('public', 'product_sources'),
      ('public', 'scrape_runs'),
      ('public', 'coffees'),
      ('public', 'variants'),
      ('public', 'scrape_artifacts'),
      ('public', 'prices')
  loop
    if to_regclass(format('%I.%I', wanted.column1, wanted.column2)) is null then
      raise warning 'table %.% does not exist', wanted.column1, wanted.column2;
    else
      execute format('grant usage on schema %I to %I', wanted.column1, 'siphon');
      execute format('grant select on %I.%I to %I', wanted.column1, wanted.column2, 'siphon');
    end if;
  end loop;
end
$$;

-- Lets it read all rows of these tables if they have row level security. Without a policy it would see no rows, and get
-- no error. Run this again when a table gets row level security.
do $$
declare
  secured regclass;
begin
  for secured in
    select oid from pg_class
    where relrowsecurity and relkind in ('r', 'p')
      and exists (select from aclexplode(relacl) where grantee = (select oid from pg_roles where rolname = 'siphon') and privilege_type = 'SELECT')
      and not exists (select from pg_policy where polrelid = pg_class.oid and polname = 'siphon_reads')
  loop
    execute format('create policy %I on %s for select to %I using (true)', 'siphon_reads', secured, 'siphon');
  end loop;
end
$$;

-- The indexes that keep the queries on large tables cheap. They are built without blocking writers, which does not work
-- inside a transaction: use psql without --single-transaction. You need not create an index if another one begins with
-- the same columns.

-- For prices.
create index concurrently if not exists siphon_prices_scraped_at
  on public.prices using brin (scraped_at) with (autosummarize = on);

-- For artifacts.
create index concurrently if not exists siphon_scrape_artifacts_run_id
  on public.scrape_artifacts (run_id);

-- For runs, artifacts, health.
create index concurrently if not exists siphon_scrape_runs_started_at
  on public.scrape_runs (started_at);

-- For runs_running, artifacts.
create index concurrently if not exists siphon_scrape_runs_running
  on public.scrape_runs (started_at) where finished_at is null;

-- For last_runs, overdue, health.
create index concurrently if not exists siphon_scrape_runs_latest
  on public.scrape_runs (source_id, status, started_at desc);

-- For overdue, health.
create index concurrently if not exists siphon_scrape_runs_latest_full
  on public.scrape_runs (source_id, status, started_at desc) where (stats_json ->> 'job_type') is distinct from 'price_only';
