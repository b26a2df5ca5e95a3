/** A Next.js application with a page and a route handler that asks PostgreSQL, and fails for order 13. */

/** The text of each file. */
export const NEXT_SERVICE: Readonly<Record<string, string>> = {
  'next.config.mjs': `export default { serverExternalPackages: ['pg'] };`,
  'app/layout.js': `export default function Layout({ children }) {
    return <html><body>{children}</body></html>;
  }`,
  'app/items/[slug]/page.js': `export default async function Page({ params }) {
    const { slug } = await params;
    return <p>{slug}</p>;
  }`,
  'app/orders/[id]/route.js': `import pg from 'pg';
  const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 1 });
  export async function GET(request, { params }) {
    const { id } = await params;
    if (id === '13') throw new RangeError('no coffee');
    const { rows } = await pool.query('select $1::int as id', [id]);
    return Response.json(rows[0]);
  }`,
};
