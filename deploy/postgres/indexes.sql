-- The indexes that keep the poller's queries on large tables cheap. They do not block writers: each is built CONCURRENTLY,
-- which does not work inside a transaction (use psql without --single-transaction). The file can be run again. Change
-- `public` to your schema.

-- Prices since a given time. Tens of kilobytes for millions of rows, if rows are inserted in the order of their time.
create index concurrently if not exists siphon_prices_scraped_at
  on public.prices using brin (scraped_at) with (autosummarize = on);

-- The artifacts of runs since a given time. Artifacts do not have a time of their own.
create index concurrently if not exists siphon_scrape_artifacts_run_id
  on public.scrape_artifacts (run_id);

-- Runs since a given time.
create index concurrently if not exists siphon_scrape_runs_started_at
  on public.scrape_runs (started_at);

-- Running runs; the index contains only these.
create index concurrently if not exists siphon_scrape_runs_running
  on public.scrape_runs (started_at) where finished_at is null;

-- The latest run of each source with each status, and the latest full run, without reading the others.
create index concurrently if not exists siphon_scrape_runs_latest
  on public.scrape_runs (source_id, status, started_at desc);

create index concurrently if not exists siphon_scrape_runs_latest_full
  on public.scrape_runs (source_id, status, started_at desc)
  where (stats_json ->> 'job_type') is distinct from 'price_only';
