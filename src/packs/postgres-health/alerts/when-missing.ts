export const heldByPoller =
  'Silent: the value is unknown. A firing alert continues for its keep_firing_for. DatabaseDown, PollerWithoutLeader and PollerFailing report that the database is not polled.';
