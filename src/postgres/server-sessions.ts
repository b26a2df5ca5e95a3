/** In FROM: `pg_stat_activity` without the names of users and databases, which takes the planner half the time. */
export const SERVER_SESSIONS = 'pg_stat_get_activity(null)';
