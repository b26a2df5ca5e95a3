import express from 'express';
import { fail } from './fail.mjs';

export async function serve() {
  const app = express();
  app.set('env', 'test');
  app.use(express.json());
  const items = express.Router({ mergeParams: true });
  items.get('/items/:item', (request, response) => response.json(request.params));
  items.get('/fail', (request, response, next) => next(fail()));
  app.use('/tenants/:tenant', (request, response, next) => next());
  app.use('/tenants/:tenant', items);
  app.get('/users/:id', (request, response) => response.json({ id: request.params.id }));
  app.get('/fail', () => fail.throw());
  app.use((error, request, response, _next) => response.status(500).json({ message: error.message }));
  return app.listen(0, '127.0.0.1');
}
