import { createServer } from 'node:http';
import { trace } from '@opentelemetry/api';

/** Sets its own route, without a framework. */
export const serve = async () =>
  createServer((request, response) => {
    if (!request.url.startsWith('/users/')) return response.writeHead(404).end();
    trace.getActiveSpan()?.setAttribute('http.route', '/users/:id');
    return response.end();
  }).listen(0, '127.0.0.1');
