import type { Component, ComponentSettings, ConsumerFor, Host, Transport } from '../../../engine/component.ts';
import { BodyBudget } from './body-budget.ts';
import { maxInFlightBytes, type OtlpReceiverConfig } from './config.ts';
import { GrpcTransport } from './grpc/transport.ts';
import { HttpTransport } from './http/transport.ts';
import { RequestIntake, type Shared } from './request-intake.ts';

/** Receives OTLP over HTTP and gRPC. A request is answered when the pipelines have accepted it. */
export class OtlpReceiver implements Component {
  readonly #transports: (HttpTransport | GrpcTransport)[] = [];
  #started: Promise<PromiseSettledResult<void>[]> | undefined;

  constructor(settings: ComponentSettings, config: OtlpReceiverConfig, next: ConsumerFor) {
    const { http, grpc } = config.protocols;
    const limits = { perRequest: config.max_messages_per_request, perItem: config.max_messages_per_item };
    const intake = (transport: Transport): RequestIntake => new RequestIntake(transport, settings, next, limits);
    const budget = new BodyBudget(maxInFlightBytes(config));
    const shared = (transport: Transport): Shared => ({ intake: intake(transport), budget });
    if (http) this.#transports.push(new HttpTransport(settings, http, shared('http'), grpc?.endpoint));
    if (grpc) this.#transports.push(new GrpcTransport(settings, grpc, shared('grpc'), http?.endpoint));
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
