/** Failures that the service handles, in ways in which observers have ended processes: pipelines, callbacks, transactions. */
import { promisify } from 'node:util';
import { Redis } from 'ioredis';
import { createConnection as createMysql } from 'mysql2';
import { createPool } from 'mysql2/promise';
import { Pool } from 'pg';
import { createClient } from 'redis';

const scenarios = {
  async ioredis(url) {
    const client = new Redis(url);
    await client.pipeline().set('siphon:key', []).exec();
    await client
      .multi()
      .call('NOSUCHCOMMAND')
      .exec()
      .catch(() => undefined);
    await new Promise((resolve) => void client.call('NOSUCHCOMMAND', resolve));
    await client.call('NOSUCHCOMMAND').catch(() => undefined);
    client.disconnect();
  },
  async redis(url) {
    const client = await createClient({ url }).connect();
    await client
      .multi()
      .addCommand(['NOSUCHCOMMAND'])
      .exec()
      .catch(() => undefined);
    await client.sendCommand(['NOSUCHCOMMAND']).catch(() => undefined);
    client.destroy();
  },
  async mysql(url) {
    const connection = createMysql(url);
    await promisify(connection.query.bind(connection))('select * from no_such_table').catch(() => undefined);
    await promisify(connection.execute.bind(connection))('select * from no_such_table').catch(() => undefined);
    connection.destroy();
    const pool = createPool(url);
    await pool.query('select * from no_such_table').catch(() => undefined);
    await pool.end();
  },
  async postgres(url) {
    const pool = new Pool({ connectionString: url });
    const client = await pool.connect();
    await client.query('begin');
    await client.query('select * from no_such_table').catch(() => undefined);
    await client.query('rollback');
    await new Promise((resolve) => client.query('select * from no_such_table', resolve));
    client.release();
    await pool.end();
  },
};

process.on('unhandledRejection', (error) => process.stdout.write(`unhandled: ${error.message}\n`));
const [name, url] = process.argv.slice(-2);
await scenarios[name](url);
process.stdout.write('done\n');
