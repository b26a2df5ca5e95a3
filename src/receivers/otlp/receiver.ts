import type { Component, ComponentSettings, ConsumerOf } from '../../collector/component.ts';
import type { OtlpReceiverConfig } from './config.ts';
import { GrpcTransport } from './grpc-transport.ts';
import { HttpTransport } from './http-transport.ts';
import { Intake } from './intake.ts';

/** Takes OTLP over HTTP and gRPC. A request is answered when the pipelines have taken it. */
export class OtlpReceiver implements Component {
  readonly #transports: (HttpTransport | GrpcTransport)[] = [];

  constructor(settings: ComponentSettings, { protocols: { http, grpc } }: OtlpReceiverConfig, next: ConsumerOf) {
    if (http) this.#transports.push(new HttpTransport(settings, http, new Intake('http', settings, next)));
    if (grpc) this.#transports.push(new GrpcTransport(settings, grpc, new Intake('grpc', settings, next)));
  }

  async start(): Promise<void> {
    await Promise.all(this.#transports.map((transport) => transport.start()));
  }

  async shutdown(deadline: AbortSignal): Promise<void> {
    await Promise.all(this.#transports.map((transport) => transport.shutdown(deadline)));
  }
}
