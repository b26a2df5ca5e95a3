-- The tables of the shop. Rows are only inserted. Times come from the server.

create table orders (
  id bigint generated always as identity primary key,
  channel text not null,
  amount numeric(10, 2) not null check (amount > 0),
  created_at timestamptz not null default now()
);

create table payments (
  id bigint generated always as identity primary key,
  order_id bigint not null references orders,
  provider text not null,
  outcome text not null check (outcome in ('captured', 'declined')),
  amount numeric(10, 2) not null,
  created_at timestamptz not null default now()
);

create index on payments (order_id);
create index on orders using brin (created_at);
create index on payments using brin (created_at);
