-- Drops the policies that row-level-security.sql created.

do $$
declare
  secured regclass;
begin
  for secured in select polrelid from pg_policy where polname = 'siphon_reads' loop
    execute format('drop policy siphon_reads on %s', secured);
  end loop;
end
$$;
