/**
 * The default of `service.instance.id`: the database, and the name of the receiver if it has one, because two receivers may
 * poll one database.
 *
 * @param database `host:port/database`; undefined if the datasource cannot be read.
 */
export function instanceName(id: string, database: string | undefined): string {
  if (database === undefined) return id;
  const [, ...name] = id.split('/');
  return name.length === 0 ? database : `${database} (${name.join('/')})`;
}
