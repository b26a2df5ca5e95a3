import postgres from 'postgres';

export async function use(url) {
  const sql = postgres(url, { max: 1 });
  await sql`select ${'secret'}::text as it, 'secret literal' as literal`;
  for await (const rows of sql`select generate_series(1, 3)`.cursor(1)) void rows;
  await sql`select * from no_such_table`.catch(() => undefined);
  await sql.end();
}

export async function fail(url) {
  const sql = postgres(url);
  void sql`select * from no_such_table`.execute();
}
