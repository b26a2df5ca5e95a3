/** How many findings a folder or file may still have. The numbers only go down. */
export interface Allowance {
  readonly folder: string;
  readonly texts: number;
  readonly comments: number;
}

export const ALLOWANCES: readonly Allowance[] = [
  { folder: 'CHANGELOG.md', texts: 4, comments: 0 },
  { folder: 'README.md', texts: 15, comments: 0 },
  { folder: 'docs/architecture.md', texts: 5, comments: 0 },
  { folder: 'docs/compatibility.md', texts: 23, comments: 0 },
  { folder: 'docs/dashboards.md', texts: 21, comments: 0 },
  { folder: 'docs/decisions', texts: 78, comments: 0 },
  { folder: 'docs/metrics.md', texts: 12, comments: 0 },
  { folder: 'docs/performance.md', texts: 15, comments: 0 },
  { folder: 'docs/preload.md', texts: 6, comments: 0 },
  { folder: 'docs/prometheus.md', texts: 6, comments: 0 },
  { folder: 'docs/runbooks', texts: 47, comments: 0 },
  { folder: 'rolldown.config.ts', texts: 0, comments: 2 },
  { folder: 'src/cli', texts: 12, comments: 8 },
  { folder: 'src/components/exporters/debug', texts: 0, comments: 1 },
  { folder: 'src/components/exporters/otlp-http', texts: 7, comments: 9 },
  { folder: 'src/components/exporters/prometheus', texts: 9, comments: 92 },
  { folder: 'src/components/processors/batch', texts: 3, comments: 5 },
  { folder: 'src/components/processors/memory-limiter', texts: 7, comments: 1 },
  { folder: 'src/components/receivers/db-poller', texts: 80, comments: 152 },
  { folder: 'src/components/receivers/otlp', texts: 7, comments: 55 },
  { folder: 'src/components/receivers/sqlquery', texts: 21, comments: 29 },
  { folder: 'src/console', texts: 9, comments: 68 },
  { folder: 'src/dashboards', texts: 8, comments: 69 },
  { folder: 'src/engine', texts: 4, comments: 17 },
  { folder: 'src/packs', texts: 16, comments: 0 },
  { folder: 'src/packs/generate', texts: 8, comments: 12 },
  { folder: 'src/packs/postgres-health', texts: 29, comments: 4 },
  { folder: 'src/packs/scrape-pipeline', texts: 60, comments: 8 },
  { folder: 'src/packs/sidecar', texts: 50, comments: 4 },
  { folder: 'src/postgres', texts: 4, comments: 68 },
  { folder: 'tests/bench', texts: 4, comments: 42 },
  { folder: 'tests/conformance', texts: 4, comments: 12 },
  { folder: 'tests/dashboards', texts: 28, comments: 35 },
  { folder: 'tests/e2e', texts: 4, comments: 4 },
  { folder: 'tests/integration', texts: 115, comments: 44 },
  { folder: 'tests/repository', texts: 0, comments: 1 },
  { folder: 'tests/simulate', texts: 1, comments: 46 },
  { folder: 'tests/support', texts: 1, comments: 7 },
];
