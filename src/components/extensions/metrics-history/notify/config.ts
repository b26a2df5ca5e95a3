import * as v from 'valibot';
import { positiveDuration, secretPathUrl, secretUrl } from '../../../../engine/schema/fields.ts';
import { headers } from '../../../../engine/schema/headers.ts';
import { proxyUrl } from '../../../../engine/schema/http-url.ts';
import { clientTlsConfig } from '../../../../engine/schema/tls.ts';

const alertmanagerUrl = v.pipe(
  secretUrl(),
  v.check(
    (url) => /^https?:$/.test(URL.parse(url.reveal())?.protocol ?? ''),
    'must be the URL of an Alertmanager, for example http://127.0.0.1:9093',
  ),
);

const alertmanager = v.strictObject({
  url: alertmanagerUrl,
  headers: v.optional(headers(), {}),
});

export type AlertmanagerConfig = v.InferOutput<typeof alertmanager>;

const slack = v.strictObject({
  webhook_url: v.pipe(
    secretPathUrl(),
    v.check(
      (url) => /^https?:$/.test(URL.parse(url.reveal())?.protocol ?? ''),
      'must be the URL of an incoming webhook, for example ${env:SLACK_WEBHOOK_URL}',
    ),
  ),
});

export type SlackConfig = v.InferOutput<typeof slack>;

const receivers = v.strictObject({
  alertmanagers: v.optional(v.array(alertmanager), []),
  slack: v.optional(slack),
  tls: v.optional(clientTlsConfig, {}),
  proxy_url: v.optional(proxyUrl()),
  resend_interval: v.optional(positiveDuration(), '1m'),
  timeout: v.optional(positiveDuration(), '10s'),
});

export const notifyConfig = v.pipe(
  receivers,
  v.check(
    ({ alertmanagers, slack: own }) => alertmanagers.length > 0 || own !== undefined,
    'must name at least one Alertmanager, or slack',
  ),
);

export type NotifyConfig = v.InferOutput<typeof notifyConfig>;
