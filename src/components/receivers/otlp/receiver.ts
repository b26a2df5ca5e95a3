import type { Component, ComponentSettings, ConsumerFor, Host } from '../../../engine/component.ts';
import type { OtlpReceiverConfig } from './config.ts';
import { GrpcTransport } from './grpc/transport.ts';
import { HttpTransport } from './http/transport.ts';
import { RequestIntake } from './request-intake.ts';

/** Receives OTLP over HTTP and gRPC. A request is answered when the pipelines have accepted it. */
export class OtlpReceiver implements Component {
  readonly #transports: (HttpTransport | GrpcTransport)[] = [];
  #started: Promise<PromiseSettledResult<void>[]> | undefined;

  constructor(settings: ComponentSettings, { protocols: { http, grpc } }: OtlpReceiverConfig, next: ConsumerFor) {
    if (http) this.#transports.push(new HttpTransport(settings, http, new RequestIntake('http', settings, next)));
    if (grpc) this.#transports.push(new GrpcTransport(settings, grpc, new RequestIntake('grpc', settings, next)));
  }

  async start(host: Host): Promise<void> {
    this.#started = Promise.allSettled(this.#transports.map((transport) => transport.start(host)));
    const failed = (await this.#started).find(({ status }) => status === 'rejected');
    if (failed?.status === 'rejected') throw failed.reason;
  }

  /** May be called during `start`: then each server is closed as soon as it listens. */
  async shutdown(deadline: AbortSignal): Promise<void> {
    await this.#started;
    await Promise.all(this.#transports.map((transport) => transport.shutdown(deadline)));
  }
}
