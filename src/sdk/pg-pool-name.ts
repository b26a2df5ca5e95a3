/** Names a pool of pg by the server and database that it connects to. */

/** The options of a pool that decide where it connects to. */
export interface PgPoolOptions {
  readonly connectionString?: string | undefined;
  readonly host?: string | undefined;
  readonly port?: number | string | undefined;
  readonly database?: string | undefined;
  readonly user?: string | undefined;
}

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Returns `host:port/database` as pg would choose them: from the connection string, the options, the `PG*` variables, or
 * its defaults. Contains neither user nor password, unless pg uses the user as name of the database. A connection string
 * that cannot be parsed is `unknown`.
 */
export function pgPoolName(options: PgPoolOptions, environment: Environment): string {
  const { connectionString } = options;
  const parsed = connectionString === undefined ? {} : parse(connectionString);
  if (parsed === undefined) return 'unknown';
  const { PGHOST, PGPORT, PGDATABASE, PGUSER, USER, USERNAME } = environment;
  const host = firstSet(parsed.host, options.host, PGHOST, 'localhost');
  const port = firstSet(parsed.port, options.port, PGPORT, 5432);
  const user = [parsed.user, options.user, PGUSER, USER, USERNAME];
  const database = firstSet(parsed.database, options.database, PGDATABASE, ...user, 'unknown');
  return `${host}:${port}/${database}`;
}

/** The first value that pg does not treat as absent. */
function firstSet(...values: readonly (string | number | undefined)[]): string | number | undefined {
  return values.find(Boolean);
}

function parse(text: string): Omit<PgPoolOptions, 'connectionString'> | undefined {
  // The folder of a socket and, after a space, the database.
  if (text.startsWith('/')) {
    const [host, database] = text.split(' ');
    return { host, database };
  }
  try {
    // A URL of this kind needs a host behind a user, but pg does not.
    const url = new URL(text.replace(/^([^/?#]*:\/\/[^/?#@]*@)(?=[/?#]|$)/, `$1${NO_HOST}`));
    const { searchParams } = url;
    const hostname = url.hostname === NO_HOST ? '' : decodeURIComponent(url.hostname);
    const isSocket = url.protocol === 'socket:';
    return {
      host: isSocket ? decodeURIComponent(url.pathname) : searchParams.get('host') || hostname,
      port: searchParams.get('port') || url.port,
      database: isSocket ? searchParams.get('db') || '' : decodeURIComponent(url.pathname.slice(1)),
      user: decodeURIComponent(url.username),
    };
  } catch {
    return undefined;
  }
}

const NO_HOST = 'no-host.invalid';
