-- Reverts what `siphon doctor --sql` prints: drops the indexes, ends the sessions of role siphon, and drops it with its
-- grants and policies. Run it in the polled database. If the role has grants in other databases, revoke them there
-- first. It can be run again.

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
