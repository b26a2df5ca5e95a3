/** The ways in which a Node.js process ends, as programs. */

export interface Ending {
  readonly name: string;
  /** Runs after the program has served one request of its own. */
  readonly body: string;
  /** Sent when the program prints `ready`. */
  readonly signal?: NodeJS.Signals;
  /** False if the process cannot run any code when it ends. */
  readonly keepsSpans: boolean;
  readonly moduleOnly?: boolean;
  /** True for the first process of its namespace, as in most containers: a signal without a listener does not end it. */
  readonly isFirstProcess?: boolean;
}

const SIGNALS = ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGUSR2'] as const;

export const endings: readonly Ending[] = [
  { name: 'empty event loop', body: 'server.close();', keepsSpans: true },
  { name: 'empty event loop, with an exit code', body: 'process.exitCode = 3; server.close();', keepsSpans: true },
  {
    name: 'empty event loop, with listeners',
    body: `for (const event of ['beforeExit', 'exit']) process.on(event, (code) => console.log(event, code)); server.close();`,
    keepsSpans: true,
  },
  { name: '`process.exit`', body: 'process.exit(4);', keepsSpans: true },
  { name: 'uncaught error', body: `throw new Error('broken');`, keepsSpans: true },
  {
    name: 'uncaught error, with a listener',
    body: `process.on('uncaughtException', ({ message }) => { console.log(message); server.close(); }); throw new Error('broken');`,
    keepsSpans: true,
  },
  { name: 'uncaught rejection', body: `Promise.reject(new Error('refused'));`, keepsSpans: true },
  {
    name: 'uncaught rejection, with a listener',
    body: `process.on('unhandledRejection', ({ message }) => { console.log(message); server.close(); }); Promise.reject(new Error('refused'));`,
    keepsSpans: true,
  },
  { name: 'unsettled top-level `await`', body: 'server.close(); forever = true;', keepsSpans: true, moduleOnly: true },
  ...SIGNALS.flatMap((signal): Ending[] => [
    { name: signal, signal, body: `console.log('ready');`, keepsSpans: true },
    {
      name: `${signal}, with a listener`,
      signal,
      body: `process.once('${signal}', (name) => { console.log(name); server.close(); }); console.log('ready');`,
      keepsSpans: true,
    },
    {
      name: `${signal}, with a listener that exits`,
      signal,
      body: `process.once('${signal}', () => process.exit(7)); console.log('ready');`,
      keepsSpans: true,
    },
  ]),
  {
    name: 'SIGTERM, requests in flight, then `server.close` and `process.exit`',
    signal: 'SIGTERM',
    body: `
      process.once('SIGTERM', () => server.close(() => process.exit(0)));
      http.get({ port, path: '/slow', agent: false }, (response) => response.resume().on('end', () => console.log('answered')));`,
    keepsSpans: true,
  },
  {
    name: 'process 1, which survives SIGTERM',
    body: `process.kill(process.pid, 'SIGTERM'); setTimeout(() => { console.log('still process', process.pid); server.close(); }, 300);`,
    keepsSpans: true,
    isFirstProcess: true,
  },
  {
    name: 'process 1, SIGTERM with a listener that exits',
    body: `process.once('SIGTERM', () => process.exit(7)); process.kill(process.pid, 'SIGTERM');`,
    keepsSpans: true,
    isFirstProcess: true,
  },
  { name: '`process.abort`', body: 'process.abort();', keepsSpans: false },
  {
    name: 'worker thread',
    body: `
      const worker = new threads.Worker('console.log("in a worker"); process.exit(6)', { eval: true });
      worker.on('exit', (code) => { console.log('worker', code); server.close(); });`,
    keepsSpans: true,
  },
  {
    name: 'child process by `fork`',
    body: `
      const child = childProcess.fork(file, ['child'], { env: process.env });
      child.on('message', (message) => console.log(message));
      child.on('exit', (code) => { console.log('child', code); server.close(); });`,
    keepsSpans: true,
  },
  {
    name: 'worker by `cluster`',
    body: `
      cluster.setupPrimary({ exec: file, args: ['child'] });
      cluster.on('message', (_, message) => console.log(message));
      cluster.on('exit', (_, code) => { console.log('worker', code); server.close(); });
      cluster.fork();`,
    keepsSpans: true,
  },
];

const NAMES = {
  http: 'node:http',
  childProcess: 'node:child_process',
  threads: 'node:worker_threads',
  cluster: 'node:cluster',
} as const;

/** The program serves and sends a request, which are two spans, and then ends in this way. */
export function programOf({ body, moduleOnly = false }: Ending, format: 'cjs' | 'mjs'): string {
  const names = Object.entries(NAMES);
  const loading =
    format === 'cjs'
      ? names.map(([name, from]) => `const ${name} = require('${from}');`).join('\n') + '\nconst file = __filename;'
      : names.map(([name, from]) => `import ${name} from '${from}';`).join('\n') +
        '\nconst file = import.meta.filename;';
  return `${loading}
if (process.argv[2] === 'child') {
  process.send('in a child', () => process.exit(5));
} else {
  const server = http.createServer((request, response) => {
    if (request.url !== '/slow') return void response.end();
    console.log('ready');
    setTimeout(() => response.end(), 300);
  });
  let forever = false;
  server.listen(0, '127.0.0.1', () => {
    const { port } = server.address();
    http.get({ port, agent: false }, (response) => response.resume().on('close', () => setTimeout(() => { ${body} }, 20)));
  });
  ${moduleOnly ? 'await new Promise(() => undefined);' : ''}
}`;
}
