import Koa from 'koa';
import { Router } from '@koa/router';
import { fail } from './fail.mjs';

export async function serve() {
  const app = new Koa();
  app.silent = true;
  const items = new Router();
  items.get('/items/:item', (context) => (context.body = context.params));
  items.get('/fail', () => fail.throw());
  const router = new Router();
  router.get('/users/:id', (context) => (context.body = context.params));
  router.get('/fail', () => fail.throw());
  router.use('/tenants/:tenant', items.routes());
  app.use(router.routes());
  return app.listen(0, '127.0.0.1');
}
