-- The indexes that keep the poller's questions about large tables cheap. Nobody has to wait for them: each is built
-- CONCURRENTLY, for which it must not stand in a transaction (psql without --single-transaction does). Run it again as you
-- like. `public` is to be changed to your schema.

-- Prices since a time, in tens of kilobytes for millions of rows, as long as they are written in the order of their time.
create index concurrently if not exists siphon_prices_scraped_at
  on public.prices using brin (scraped_at) with (autosummarize = on);

-- The artifacts of runs since a time: artifacts have none of their own.
create index concurrently if not exists siphon_scrape_artifacts_run_id
  on public.scrape_artifacts (run_id);

-- Runs since a time.
create index concurrently if not exists siphon_scrape_runs_started_at
  on public.scrape_runs (started_at);

-- Runs under way; it never holds more than those.
create index concurrently if not exists siphon_scrape_runs_running
  on public.scrape_runs (started_at) where finished_at is null;

-- The latest run of each source with each status, and the latest full one, without reading the others.
create index concurrently if not exists siphon_scrape_runs_latest
  on public.scrape_runs (source_id, status, started_at desc);

create index concurrently if not exists siphon_scrape_runs_latest_full
  on public.scrape_runs (source_id, status, started_at desc)
  where (stats_json ->> 'job_type') is distinct from 'price_only';
