/** Faults of the database that do not affect each other, nor the pipeline. */
import { Client } from 'pg';
import type { Fault, Switch } from '../support/alerts/fault.ts';

export const databaseFaults: readonly Fault[] = [
  { name: 'connections near the limit', ...connectionsTaken(), alerts: [{ alert: 'ConnectionsNearLimit' }] },
  { name: 'transactions that deadlock', ...deadlock(), alerts: [{ alert: 'Deadlocks' }] },
  { name: 'transactions that are rolled back', ...rollbacks(), alerts: [{ alert: 'RollbacksHigh' }] },
  {
    name: 'a table that is not vacuumed',
    provoke: async (world) => {
      // The delay of the alert is ten seconds here, and other tables of the demo change quickly.
      await world.sql(`alter system set autovacuum_naptime = '1s'`);
      await world.sql('select pg_reload_conf()');
      await world.sql(`
        create table unkempt (id integer) with (autovacuum_enabled = off);
        insert into unkempt select generate_series(1, 40000);
        delete from unkempt where id > 20000`);
    },
    end: async (world) => await world.sql('drop table unkempt'),
    alerts: [{ alert: 'DeadRowsHigh' }],
  },
  {
    name: 'a replication slot without a client',
    provoke: async (world) => await world.sql(`select pg_create_physical_replication_slot('forgotten', true)`),
    end: async (world) => await world.sql(`select pg_drop_replication_slot('forgotten')`),
    alerts: [{ alert: 'SlotUnused' }],
    panels: [['siphon-database', 'Kept for replication slots']],
  },
  {
    name: 'a sequence near its end',
    provoke: async (world) =>
      await world.sql(`
        create sequence numbers maxvalue 100;
        select setval('numbers', 99);
        grant select on sequence numbers to siphon`),
    end: async (world) => await world.sql('drop sequence numbers'),
    alerts: [{ alert: 'SequenceNearEnd' }],
    panels: [['siphon-database', 'Sequences']],
  },
];

/** Takes connections, but leaves the sidecar and the pipeline theirs. */
function connectionsTaken(): Switch {
  const clients: Client[] = [];
  return {
    provoke: async ({ watched }) => {
      for (let count = 0; count < 80; count++) {
        const client = new Client({ connectionString: watched.demo.databaseUrl });
        await client.connect();
        clients.push(client);
      }
    },
    end: async () => await Promise.all(clients.map(async (client) => await client.end())),
  };
}

/** Two transactions change two rows in opposite orders; the server ends one of them. */
function deadlock(): Switch {
  return {
    provoke: async (world) => {
      await world.sql('create table pair (id integer primary key); insert into pair values (1), (2)');
      await world.withClient(async (first) => {
        await world.withClient(async (second) => {
          for (const [client, id] of [
            [first, 1],
            [second, 2],
          ] as const)
            await client.query(`begin; update pair set id = id where id = ${id}`);
          await Promise.allSettled([
            first.query('update pair set id = id where id = 2'),
            second.query('update pair set id = id where id = 1'),
          ]);
          await Promise.all([first.query('rollback'), second.query('rollback')]);
        });
      });
    },
    end: async (world) => await world.sql('drop table pair'),
  };
}

/** The idle session raises IdleInTransaction. */
export function lockWait(): Switch {
  const clients: Client[] = [];
  return {
    provoke: async (world) => {
      await world.sql('create table contended ()');
      for (let count = 0; count < 2; count++) {
        const client = new Client({ connectionString: world.watched.demo.databaseUrl });
        await client.connect();
        clients.push(client);
      }
      await clients[0]!.query('begin; lock table contended');
      clients[1]!.query('begin; lock table contended').catch(() => undefined);
    },
    end: async (world) => {
      await clients[0]!.query('rollback');
      await Promise.all(clients.map(async (client) => await client.end()));
      await world.sql('drop table contended');
    },
  };
}

/** A client whose every transaction fails. */
function rollbacks(): Switch {
  const stop = new AbortController();
  let ended: Promise<unknown> | undefined;
  return {
    provoke: async (world) => {
      ended = world.withClient(async (client) => {
        while (!stop.signal.aborted) await client.query('begin; select 1; rollback; begin; select 1; rollback');
      });
      await Promise.resolve();
    },
    end: async () => {
      stop.abort();
      await ended;
    },
  };
}
