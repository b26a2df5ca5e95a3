import { serve as listen } from '@hono/node-server';
import { Hono } from 'hono';
import { fail } from './fail.mjs';

export async function serve() {
  const items = new Hono();
  items.get('/items/:item', (context) => context.json(context.req.param()));
  items.get('/fail', async () => fail.throw());
  const app = new Hono();
  app.use('/tenants/*', (context, next) => next());
  app.get('/users/:id', (context) => context.json(context.req.param()));
  app.get('/fail', () => fail.throw());
  app.route('/tenants/:tenant', items);
  app.onError((error, context) => context.text(error.message, 500));
  return await new Promise((resolve) => {
    const server = listen({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }, () => resolve(server));
  });
}
