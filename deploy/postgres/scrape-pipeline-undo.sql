-- Reverts what `siphon doctor --sql` prints: drops the indexes, ends the sessions of role siphon, and drops it with its
-- grants and policies. Run it in the polled database. If the role has grants in other databases, revoke them there
-- first. It can be run again.

-- A table that is locked for longer is an error, which the undo can be run again after.
set lock_timeout = '5s';
drop index if exists public.siphon_prices_scraped_at;
drop index if exists public.siphon_scrape_artifacts_run_id;
drop index if exists public.siphon_scrape_runs_started_at;
drop index if exists public.siphon_scrape_runs_running;
drop index if exists public.siphon_scrape_runs_latest;
drop index if exists public.siphon_scrape_runs_latest_full;

do $$
begin
  if exists (select from pg_roles where rolname = 'siphon') then
    perform pg_terminate_backend(pid) from pg_stat_activity where usename = 'siphon';
    grant siphon to current_user;
    drop owned by siphon;
    drop role siphon;
  end if;
end
$$;
