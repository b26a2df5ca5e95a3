-- Drops the indexes of indexes.sql, including invalid ones from an interrupted build.

drop index concurrently if exists public.siphon_prices_scraped_at;
drop index concurrently if exists public.siphon_scrape_artifacts_run_id;
drop index concurrently if exists public.siphon_scrape_runs_started_at;
drop index concurrently if exists public.siphon_scrape_runs_running;
drop index concurrently if exists public.siphon_scrape_runs_latest;
drop index concurrently if exists public.siphon_scrape_runs_latest_full;
