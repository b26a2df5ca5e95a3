/** A service that reaches PostgreSQL with knex, drizzle and Prisma: asks itself for two orders together with each, and ends. */
export const QUERY_BUILDER_SERVICE = `import { PrismaPg } from '@prisma/adapter-pg';
import { PrismaClient } from '@prisma/client';
import { eq } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/node-postgres';
import { integer, pgTable, text } from 'drizzle-orm/pg-core';
import express from 'express';
import knex from 'knex';
import { Pool } from 'pg';

const connectionString = process.env.DATABASE_URL;
const orders = pgTable('orders', { id: integer().primaryKey(), state: text().notNull() });

// With one connection each, the second request waits for it.
const withKnex = knex({ client: 'pg', connection: connectionString, pool: { min: 0, max: 1 } });
const pool = new Pool({ connectionString, max: 1 });
const withDrizzle = drizzle(pool);
const withPrisma = new PrismaClient({ adapter: new PrismaPg({ connectionString, max: 1 }) });

const takeOrder = {
  async knex(id) {
    await withKnex.transaction(async (transaction) => {
      await transaction('orders').insert({ id, state: 'new' });
      await transaction('orders').where({ id }).update({ state: 'paid' });
    });
    return await withKnex('orders').where({ id }).first();
  },
  async drizzle(id) {
    await withDrizzle.transaction(async (transaction) => {
      await transaction.insert(orders).values({ id, state: 'new' });
      await transaction.update(orders).set({ state: 'paid' }).where(eq(orders.id, id));
    });
    const [order] = await withDrizzle.select().from(orders).where(eq(orders.id, id));
    return order;
  },
  async prisma(id) {
    await withPrisma.$transaction(async (transaction) => {
      await transaction.order.create({ data: { id, state: 'new' } });
      await transaction.order.update({ where: { id }, data: { state: 'paid' } });
    });
    return await withPrisma.order.findUnique({ where: { id } });
  },
};

const app = express();
for (const [client, take] of Object.entries(takeOrder)) {
  app.get('/' + client + '/:id', async (request, response) => void response.json(await take(Number(request.params.id))));
}
const server = app.listen(0, '127.0.0.1', async () => {
  const targets = ['/knex/1', '/knex/2', '/drizzle/3', '/drizzle/4', '/prisma/5', '/prisma/6'];
  const answers = targets.map(async (target) => {
    const response = await fetch('http://127.0.0.1:' + server.address().port + target);
    return await response.text();
  });
  for (const answer of await Promise.all(answers)) console.log(answer);
  await Promise.all([withKnex.destroy(), pool.end(), withPrisma.$disconnect()]);
  server.close();
  server.closeAllConnections();
});
`;

/** The model of its orders for Prisma. */
export const PRISMA_SCHEMA = `
datasource db {
  provider = "postgresql"
}
generator client {
  provider = "prisma-client-js"
}
model Order {
  id Int @id
  state String
  @@map("orders")
}`;
