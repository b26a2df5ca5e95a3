/** Why a data point is not on the scrape page. A file of its own: the exporter needs nothing else of the catalogue. */
export const dropReasons = [
  'type_conflict',
  'duplicate_series',
  'max_series',
  'invalid_name',
  'invalid_buckets',
  'labels_too_long',
  'no_value',
  'out_of_order',
  'unsupported',
] as const;
