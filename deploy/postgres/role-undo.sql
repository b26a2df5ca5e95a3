-- Reverts role.sql and row-level-security.sql: ends the sessions of the role, and drops it with its grants and policies.
-- Run it in the polled database. If the role has grants in other databases, revoke them there first.

select count(pg_terminate_backend(pid)) as ended_sessions from pg_stat_activity where usename = 'siphon';

drop owned by siphon;
drop role siphon;
