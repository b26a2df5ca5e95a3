import { fastify } from 'fastify';
import { fail } from './fail.mjs';

export async function serve() {
  const app = fastify();
  app.get('/users/:id', (request, reply) => void reply.send(request.params));
  app.get('/fail', () => fail.throw());
  app.register(
    async (tenant) => {
      tenant.get('/items/:item', (request, reply) => void reply.send(request.params));
      tenant.get('/fail', { preHandler: (request, reply, done) => done(fail()) }, () => fail.throw());
    },
    { prefix: '/tenants/:tenant' },
  );
  await app.listen({ port: 0, host: '127.0.0.1' });
  return app.server;
}
