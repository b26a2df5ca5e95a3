/** A service with Express, `pg` and `fetch`: it asks itself for an order, prints the answer, and ends. */
import type { CapturedSpan } from '../otlp/otlp-capture.ts';

export type Format = 'cjs' | 'mjs' | 'ts';

const LOADING = { http: 'node:http', express: 'express', pg: 'pg' } as const;

const BODY = `
const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 1 });
const app = express();
let origin = '';
app.get('/price', (request, response) => void response.json(9));
app.get('/orders/:id', async (request, response) => {
  const { rows } = await pool.query('select $1::int as id', [request.params.id]);
  const price = await (await fetch(origin + '/price')).json();
  response.json({ ...rows[0], price });
});
const server = app.listen(0, '127.0.0.1', () => {
  origin = 'http://127.0.0.1:' + server.address().port;
  http.get(origin + '/orders/42', { agent: false }, async (response) => {
    console.log((await response.toArray()).join(''));
    await pool.end();
    server.close();
    server.closeAllConnections();
  });
});
`;

export const ANSWER = '{"id":42,"price":9}';

export function orderService(format: Format): string {
  const modules = Object.entries(LOADING);
  if (format === 'cjs') return modules.map(([name, from]) => `const ${name} = require('${from}');`).join('\n') + BODY;
  const imports = modules.map(([name, from]) => `import ${name} from '${from}';`).join('\n');
  return imports + (format === 'ts' ? BODY.replace("let origin = ''", "let origin: string = ''") : BODY);
}

/** Its trace, each span with its parent. */
export const TRACE = [
  'CLIENT GET <- none',
  'CLIENT GET <- GET /orders/:id',
  'CLIENT SELECT <- GET /orders/:id',
  'CLIENT connect <- GET /orders/:id',
  'SERVER GET /orders/:id <- GET',
  'SERVER GET /price <- GET',
].toSorted();

/** The spans in that form. The two of a new connection of `pg` are one, and names of databases differ. */
export function traceIn(spans: readonly CapturedSpan[]): readonly string[] {
  const byId = new Map(spans.map((span) => [span.span_id, span]));
  const lines = spans.map(({ kind, name, parent_span_id: parent = '' }) => {
    const parentName = byId.get(parent)?.name ?? (parent === '' ? 'none' : 'unknown');
    return `${kind.slice('SPAN_KIND_'.length)} ${short(name)} <- ${short(parentName)}`;
  });
  return lines.filter((line) => !line.endsWith('<- connect')).toSorted();
}

function short(name: string): string {
  return /^pg(?:-pool)?\.(?:query:)?(\w+)/.exec(name)?.[1] ?? name;
}
