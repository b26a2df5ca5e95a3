/** Faults behind runs that report success, and faults of the database that only the pipeline or only the poller notices. */
import { addVariants } from '../support/alerts/roaster-rows.ts';
import { shopFault, type Fault } from '../support/alerts/fault.ts';

/** These shops have no other fault at the time. */
export const contentFaults: readonly Fault[] = [
  {
    name: 'a shop that lists half of its products',
    ...shopFault('empty', 'half_feed'),
    alerts: [{ alert: 'CatalogueShrunk', roaster: 'empty' }],
  },
  {
    name: 'a shop whose feed reports that everything is sold',
    ...shopFault('broken', 'sold_out'),
    alerts: [{ alert: 'StockGone', roaster: 'broken' }],
  },
  {
    name: 'writes that the database discards',
    provoke: async (world) =>
      await world.sql(`
        create function discard() returns trigger language plpgsql as $$
        begin
          if exists (select from coffees c join roasters r on r.id = c.roaster_id where c.id = new.coffee_id and r.slug = 'busy')
          then return null; end if;
          return new;
        end $$;
        create trigger discard before insert or update on variants for each row execute function discard()`),
    end: async (world) => await world.sql('drop function discard cascade'),
    alerts: [{ alert: 'CatalogueShrunk', roaster: 'busy' }],
  },
  {
    name: 'prices that are all zero',
    provoke: async (world) => {
      await addVariants(world, 'worthless');
      await world.sql(pricesOf('worthless', 100));
      await world.watched.prometheus.found('prices_recorded_total{roaster="worthless"}');
      await world.sql(pricesOf('worthless', 0));
    },
    end: async () => undefined,
    alerts: [{ alert: 'WildPrices', roaster: 'worthless' }],
  },
];

function pricesOf(roaster: string, price: number): string {
  return `insert into prices (variant_id, price, currency)
    select id, ${price}, currency from variants where platform_variant_id like '${roaster}-%'`;
}

/** Writes fail as they do on a full disk. */
export const diskFull: Fault = {
  name: 'a disk that is full (53100)',
  provoke: async (world) =>
    await world.sql(`
      create function disk_full() returns trigger language plpgsql as $$
      begin raise exception 'could not extend file: No space left on device' using errcode = '53100'; end $$;
      create trigger disk_full before insert on scrape_artifacts for each row execute function disk_full();
      create trigger disk_full before insert on prices for each row execute function disk_full()`),
  end: async (world) => await world.sql('drop function disk_full cascade'),
  alerts: [{ alert: 'PriceJobsFailing' }],
};

const OTHER_SESSIONS = `
  select pg_terminate_backend(pid) from pg_stat_activity
  where datname = current_database() and pid <> pg_backend_pid() and usename <> 'siphon' and backend_type = 'client backend'`;

/** New sessions cannot write, and the open ones are ended. */
export const readOnly: Fault = {
  name: 'a database that only reads',
  provoke: async (world) => {
    await world.sql(`do $$ begin
      execute format('alter database %I set default_transaction_read_only = on', current_database());
    end $$`);
    await world.sql(OTHER_SESSIONS);
  },
  end: async (world) => {
    await world.sql(`
      begin read write;
      do $$ begin execute format('alter database %I reset default_transaction_read_only', current_database()); end $$;
      commit`);
    await world.sql(OTHER_SESSIONS);
  },
  alerts: [{ alert: 'PriceJobsFailing' }],
};

/** The role of the poller sees no row, and gets no error from PostgreSQL. */
export const hiddenRoasters: Fault = {
  name: 'row level security that hides all roasters',
  provoke: async (world) => await world.sql('alter table roasters enable row level security'),
  end: async (world) => await world.sql('alter table roasters disable row level security'),
  alerts: [{ alert: 'PollerFailing' }, { alert: 'HealthScoreUnknown' }],
};

/** A query that has never succeeded has no age. */
export const revokedBeforeRestart: Fault = {
  name: 'a right that is revoked before a restart of the sidecar',
  provoke: async (world) => {
    await world.sql('revoke select on prices from siphon');
    for (const isKilled of [true, false]) await world.watched.demo.setFault('sidecar_killed', isKilled);
  },
  end: async (world) => await world.sql('grant select on prices to siphon'),
  alerts: [{ alert: 'QueryOff' }],
};
