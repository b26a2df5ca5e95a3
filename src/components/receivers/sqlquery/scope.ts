/** The scope of the stock receiver, so that series keep their labels when siphon replaces it. */
const NAME = 'github.com/open-telemetry/opentelemetry-collector-contrib/receiver/sqlqueryreceiver';

export function scopeOf(version: string): { readonly name: string; readonly version: string } {
  return { name: NAME, version };
}
