/** For FROM: `pg_stat_activity` without the names of users and databases, which halves the planning time. */
export const SERVER_SESSIONS = 'pg_stat_get_activity(null)';
