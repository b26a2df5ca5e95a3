-- Lets the role read all rows of the tables on which it has SELECT and that have row level security. Without a policy it
-- would see no rows, and get no error. Run it after role.sql, as the owner of the tables, and again after a change.

do $$
declare
  secured regclass;
begin
  for secured in
    select oid from pg_class
    where relnamespace = 'public'::regnamespace and relrowsecurity and has_table_privilege('siphon', oid, 'select')
      and not exists (select from pg_policy where polrelid = pg_class.oid and polname = 'siphon_reads')
  loop
    execute format('create policy siphon_reads on %s for select to siphon using (true)', secured);
  end loop;
end
$$;
