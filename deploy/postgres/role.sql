-- The role that siphon's poller logs in as. It reads the tables below and PostgreSQL's own statistics, and nothing else.
-- Run it in the polled database, as a role that may create roles; run it again after a change.
--
-- Change the names `siphon` and `public`, and the list of tables, to yours. This file does not set a password: set it
-- with `\password siphon` in psql, which keeps it out of the server's log.

do $$
begin
  if not exists (select from pg_roles where rolname = 'siphon') then
    create role siphon;
  end if;
  execute format('grant connect on database %I to siphon', current_database());
end
$$;

-- Two connections of the pool (max_connections of the receiver), one for the lock of the leader, and a spare one for
-- `psql`, or until the server notices that a client is gone. With several sidecars: three for each, and one.
alter role siphon with login connection limit 4;

-- siphon sets its own limits in each transaction. These limit other clients that use the role.
alter role siphon set default_transaction_read_only = on;
alter role siphon set statement_timeout = '60s';
alter role siphon set lock_timeout = '5s';
alter role siphon set idle_in_transaction_session_timeout = '60s';

-- The activity of other roles' sessions: pg_monitor without the settings and without functions that read whole tables.
grant pg_read_all_stats to siphon;

grant usage on schema public to siphon;
grant select on
  public.roasters,
  public.product_sources,
  public.scrape_runs,
  public.scrape_artifacts,
  public.coffees,
  public.variants,
  public.prices
to siphon;
