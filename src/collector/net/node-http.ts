/**
 * What siphon uses of `node:http`. An `import` of a built-in module reads each of its exports, and the one named
 * `WebSocket` loads undici when it is read: megabytes that stay resident and that nobody uses.
 */
export const { Agent, createServer, request, validateHeaderName, validateHeaderValue } =
  process.getBuiltinModule('node:http');
