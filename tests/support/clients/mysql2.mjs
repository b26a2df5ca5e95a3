import { once } from 'node:events';
import { createConnection as createPlainConnection } from 'mysql2';
import { createConnection } from 'mysql2/promise';

export async function use(url) {
  const connection = await createConnection(url);
  await connection.query('select ? as it, "secret text" as text', [String.raw`it's a secret \ value`]);
  await connection.execute('select ? as it', ['secret']);
  await connection.query('select * from no_such_table').catch(() => undefined);
  await connection.end();
}

/** Without a callback and a listener, the connection gets the error. */
export async function fail(url) {
  const connection = createPlainConnection(url);
  connection.query('select * from no_such_table');
  const [error] = await once(connection, 'error');
  throw error;
}
