/** The stock receiver's, so that its series keep their labels when siphon takes over. */
const NAME = 'github.com/open-telemetry/opentelemetry-collector-contrib/receiver/sqlqueryreceiver';

export function scopeOf(version: string): { readonly name: string; readonly version: string } {
  return { name: NAME, version };
}
