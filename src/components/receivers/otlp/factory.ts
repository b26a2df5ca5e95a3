import type { ReceiverFactory } from '../../../engine/component.ts';
import { serverFilesOnceRead } from '../../../engine/schema/tls.ts';
import { otlpReceiverConfig, type OtlpReceiverConfig } from './config.ts';
import { OtlpReceiver } from './receiver.ts';

export const otlpReceiver: ReceiverFactory<OtlpReceiverConfig> = {
  kind: 'receiver',
  type: 'otlp',
  signals: ['traces', 'metrics', 'logs'],
  followsSignals: true,
  stability: 'beta',
  config: otlpReceiverConfig,
  files: ({ protocols: { http, grpc } }) => [...serverFilesOnceRead(http?.tls), ...serverFilesOnceRead(grpc?.tls)],
  async *diagnose(_settings, { protocols: { http, grpc } }) {
    const { listeningFindings } = await import('../../../engine/net/endpoint-findings.ts');
    for (const server of [http, grpc]) if (server) yield* listeningFindings(server);
  },
  create: (settings, config, next) => new OtlpReceiver(settings, config, next),
};
