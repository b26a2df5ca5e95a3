/** The tag by which siphon knows its own dashboards: what does not carry it is someone else's. */
export const OWN_TAG = 'siphon-otel';
