-- The tables of a coffee price scraper, and the functions that it uses for all writes.
-- Times come from the server. A run without a status has not finished. The date of an artifact is the date of its run.

create type platform_enum as enum ('shopify', 'woocommerce', 'custom', 'other');
create type run_status_enum as enum ('ok', 'partial', 'fail');
create type processing_status_enum as enum ('ok', 'review', 'error');
create type coffee_status_enum as enum
  ('active', 'seasonal', 'discontinued', 'draft', 'hidden', 'coming_soon', 'archived');

create table roasters (
  id uuid primary key default gen_random_uuid(),
  name text not null,
  slug text not null unique,
  website text,
  platform platform_enum not null,
  is_active boolean not null default true,
  use_llm boolean not null default false,
  use_firecrawl_fallback boolean not null default false,
  firecrawl_budget_limit integer,
  default_concurrency integer not null default 2,
  full_cadence text,   -- cron
  price_cadence text,  -- cron
  alert_price_delta_pct numeric not null default 10,
  last_etag text,
  last_modified text,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);

create table product_sources (
  id uuid primary key default gen_random_uuid(),
  roaster_id uuid not null references roasters,
  base_url text not null,
  platform platform_enum not null,
  products_endpoint text not null,
  sitemap_url text,
  robots_ok boolean,
  last_ok_ping timestamptz,
  unique (roaster_id, products_endpoint)
);

create table scrape_runs (
  id uuid primary key default gen_random_uuid(),
  source_id uuid references product_sources,
  started_at timestamptz not null default now(),
  finished_at timestamptz,
  status run_status_enum,
  stats_json jsonb
);

create table scrape_artifacts (
  id uuid primary key default gen_random_uuid(),
  run_id uuid references scrape_runs,
  url text,
  http_status integer,
  body_len bigint,
  saved_html_path text,
  saved_json jsonb
);

create table coffees (
  id uuid primary key default gen_random_uuid(),
  roaster_id uuid not null references roasters,
  name text not null,
  slug text not null,
  status coffee_status_enum not null default 'active',
  is_coffee boolean,
  processing_status processing_status_enum,
  processing_warnings jsonb,
  raw_payload_hash text,
  content_hash text,
  first_seen_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  unique (roaster_id, slug)
);

create table variants (
  id uuid primary key default gen_random_uuid(),
  coffee_id uuid not null references coffees,
  platform_variant_id text not null,
  currency text not null,
  price_current numeric,
  compare_at_price numeric,
  in_stock boolean not null,
  stock_qty integer,
  status text not null default 'active' check (status in ('active', 'archived', 'missing', 'review')),
  weight_g integer,
  grind text,
  pack_count integer not null default 1,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  last_seen_at timestamptz,
  price_last_checked_at timestamptz,
  unique (coffee_id, platform_variant_id)
);

create table prices (
  id uuid primary key default gen_random_uuid(),
  variant_id uuid not null references variants,
  price numeric not null,
  currency text not null,
  is_sale boolean not null default false,
  scraped_at timestamptz not null default clock_timestamp(),
  source_url text,
  source_raw jsonb,
  unique (variant_id, scraped_at)
);

create index on variants (status);
create index on variants (price_last_checked_at);
create index on variants (platform_variant_id);
create index on coffees (content_hash, raw_payload_hash, processing_status);

create function rpc_scrape_run_start(p_source_id uuid) returns uuid
language sql as $$
  insert into scrape_runs (source_id) values (p_source_id) returning id;
$$;

create function rpc_scrape_run_finish(p_run_id uuid, p_stats jsonb, p_status run_status_enum) returns void
language sql as $$
  update scrape_runs set finished_at = clock_timestamp(), status = p_status, stats_json = p_stats where id = p_run_id;
$$;

create function rpc_record_artifact(
  p_run_id uuid, p_url text, p_http_status integer, p_body_len bigint,
  p_saved_html_path text default null, p_saved_json jsonb default null
) returns uuid
language sql as $$
  insert into scrape_artifacts (run_id, url, http_status, body_len, saved_html_path, saved_json)
  values (p_run_id, p_url, p_http_status, p_body_len, p_saved_html_path, p_saved_json)
  returning id;
$$;

create function rpc_upsert_coffee(
  p_roaster_id uuid, p_slug text, p_name text, p_is_coffee boolean,
  p_processing_status processing_status_enum, p_processing_warnings jsonb,
  p_raw_payload_hash text, p_content_hash text
) returns uuid
language sql as $$
  insert into coffees as c (roaster_id, slug, name, is_coffee, processing_status, processing_warnings,
                            raw_payload_hash, content_hash, first_seen_at)
  values (p_roaster_id, p_slug, p_name, p_is_coffee, p_processing_status, p_processing_warnings,
          p_raw_payload_hash, p_content_hash, now())
  on conflict (roaster_id, slug) do update set
    name = excluded.name, is_coffee = excluded.is_coffee, processing_status = excluded.processing_status,
    processing_warnings = excluded.processing_warnings, raw_payload_hash = excluded.raw_payload_hash,
    content_hash = excluded.content_hash, updated_at = now()
  returning id;
$$;

create function rpc_upsert_variant(
  p_coffee_id uuid, p_platform_variant_id text, p_currency text, p_compare_at_price numeric,
  p_in_stock boolean, p_stock_qty integer, p_weight_g integer, p_grind text, p_pack_count integer default 1
) returns uuid
language sql as $$
  insert into variants (coffee_id, platform_variant_id, currency, compare_at_price, in_stock, stock_qty,
                        weight_g, grind, pack_count, last_seen_at)
  values (p_coffee_id, p_platform_variant_id, p_currency, p_compare_at_price, p_in_stock, p_stock_qty,
          p_weight_g, p_grind, p_pack_count, now())
  on conflict (coffee_id, platform_variant_id) do update set
    currency = excluded.currency, compare_at_price = excluded.compare_at_price, in_stock = excluded.in_stock,
    stock_qty = excluded.stock_qty, weight_g = excluded.weight_g, grind = excluded.grind,
    pack_count = excluded.pack_count, status = 'active', last_seen_at = now(), updated_at = now()
  returning id;
$$;

-- Records a price and returns the previous one, or NULL for the first price. The row lock serialises concurrent
-- writers of one variant, so that each of them receives the price recorded directly before its own.
create function rpc_insert_price(
  p_variant_id uuid, p_price numeric, p_currency text, p_is_sale boolean,
  p_scraped_at timestamptz default null, p_source_url text default null, p_source_raw jsonb default null
) returns numeric
language plpgsql as $$
declare
  previous numeric;
begin
  select price_current into previous from variants where id = p_variant_id for update;
  insert into prices (variant_id, price, currency, is_sale, scraped_at, source_url, source_raw)
  values (p_variant_id, p_price, p_currency, p_is_sale, coalesce(p_scraped_at, clock_timestamp()),
          p_source_url, p_source_raw);
  update variants set price_current = p_price, currency = p_currency, price_last_checked_at = now()
  where id = p_variant_id;
  return previous;
end;
$$;
