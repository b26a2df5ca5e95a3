import { hash } from 'node:crypto';
import type { Logger } from 'pino';
import type { ComponentSettings } from '../../../engine/component.ts';
import { textOf, type KeyValueMap } from '../../../engine/otlp/any-value.ts';
import { wildcard } from '../../../engine/wildcard.ts';
import { Privacy } from '../../../privacy/privacy.ts';
import type { SentryExporterConfig } from './config.ts';
import { isSentrySaas, parseDsn, type Dsn } from './dsn.ts';
import { EnvelopeDelivery } from './envelope-delivery.ts';
import type { EventSettings } from './event-origin.ts';
import { Outcomes } from './outcomes.ts';
import { SourceLines } from './source-lines.ts';
import { dropsOfProject, dropsWhenOff, dropsWithoutProject } from './expected-drops.ts';
import type { PublicKeyOf } from './trace-header.ts';
import type { Departure, EnvelopeContext } from './trace-envelopes.ts';

/** A project in Sentry, with its own queue, limits and reports. */
export interface Project {
  readonly absence?: undefined;
  readonly publicKey: string;
  /** The key of the project of a resource, if it is another one. */
  readonly publicKeyOf: PublicKeyOf;
  /** Its lines name the project, if there may be several. */
  readonly logger: Logger;
  readonly settings: EnvelopeContext['settings'];
  readonly outcomes: Outcomes;
  readonly delivery: EnvelopeDelivery;
}

/** In place of the project of services that have none. */
interface NoProject {
  readonly absence: 'disabled' | 'no_project';
  readonly outcomes: Outcomes;
}

type Destination = Project | NoProject;

/** How many services without a project are logged, and how much of their names. */
const [MAX_REPORTED, MAX_NAME_CHARACTERS] = [20, 200];

/** The projects of an exporter, by the services that they are for. Equal DSNs are one project. */
export class Projects {
  readonly all: readonly Project[];
  readonly #settings: ComponentSettings;
  readonly #config: SentryExporterConfig;
  /** For items without a project. */
  readonly #outcomes: Outcomes;
  readonly #eventSettings: EventSettings;
  readonly #known = new Map<string, Project>();
  readonly #routes: readonly Route[];
  readonly #default: Destination;
  readonly #unrouted = new Set<string | undefined>();
  /** The requests of a service repeat the resource. */
  readonly #remembered = new WeakMap<KeyValueMap, Destination>();

  constructor(settings: ComponentSettings, config: SentryExporterConfig) {
    this.#settings = settings;
    this.#config = config;
    this.#outcomes = new Outcomes(settings);
    this.#eventSettings = {
      environment: config.environment,
      release: config.release,
      version: settings.version,
      privacy: new Privacy({ denied: config.deny_attributes, personal: config.send_default_pii }),
      sources: new SourceLines(config.source_roots),
    };
    const dsn = parseDsn(config.dsn.reveal());
    const own = dsn && this.#projectOf(dsn, false);
    this.#routes = (config.routing?.projects ?? []).map((route) => this.#routeOf(route));
    this.#default = own ?? { absence: this.#routes.length === 0 ? 'disabled' : 'no_project', outcomes: this.#outcomes };
    this.all = [...this.#known.values()];
    this.#expectDrops();
  }

  /** The destination of the items of a resource. The first matching route decides. */
  of(resource: KeyValueMap): Destination {
    const known = this.#remembered.get(resource);
    if (known !== undefined) return known;
    const destination = this.#find(textOf(resource, this.#config.routing?.attribute ?? 'service.name'));
    this.#remembered.set(resource, destination);
    return destination;
  }

  get isFull(): boolean {
    return this.all.some(({ delivery }) => delivery.isFull);
  }

  /** The spans in all queues, and those that wait for room in them. */
  get queuedSpans(): number {
    return this.all.reduce((sum, { delivery }) => sum + delivery.spanCount, 0);
  }

  /** An alert compares size and capacity. A sum would hide the one queue that is full. */
  get fullestQueue(): { readonly size: number } {
    const { all } = this;
    return {
      get size() {
        return Math.max(...all.map(({ delivery }) => delivery.size));
      },
    };
  }

  /** The part of a departure for each project. What has no project is not held. */
  *divided(departure: Departure): Generator<readonly [Project, Departure]> {
    const segments = Map.groupBy(departure.segments, ({ root }) => this.of(root.resource));
    const records = Map.groupBy(departure.records, ({ resource }) => this.of(resource));
    for (const project of this.all) {
      const part = { segments: segments.get(project) ?? [], records: records.get(project) ?? [] };
      yield [project, { ...departure, ...part }];
    }
  }

  #expectDrops(): void {
    if (this.all.length === 0) this.#outcomes.expect(dropsWhenOff);
    else {
      for (const { absence, outcomes } of [this.#default, ...this.#routes.map(({ destination }) => destination)]) {
        outcomes.expect(absence === undefined ? dropsOfProject : dropsWithoutProject(absence));
      }
    }
  }

  #find(name: string | undefined): Destination {
    const isFor = ({ patterns }: Route): boolean => name !== undefined && patterns.some((matches) => matches(name));
    const destination = this.#routes.find(isFor)?.destination ?? this.#default;
    if (destination.absence === 'no_project') this.#report(name?.slice(0, MAX_NAME_CHARACTERS));
    return destination;
  }

  /** Once for each of the first names. */
  #report(name: string | undefined): void {
    if (this.#unrouted.has(name) || this.#unrouted.size === MAX_REPORTED) return;
    this.#unrouted.add(name);
    const message = 'No Sentry project is configured for a service: its telemetry is dropped';
    this.#settings.logger.warn({ attribute: this.#config.routing?.attribute, value: name }, message);
  }

  #routeOf({ match, dsn: text }: NonNullable<SentryExporterConfig['routing']>['projects'][number]): Route {
    const dsn = parseDsn(text.reveal());
    return {
      patterns: match.map(wildcard),
      destination: dsn === undefined ? { absence: 'disabled', outcomes: this.#outcomes } : this.#projectOf(dsn, true),
    };
  }

  /** @param isRouted false for the project of `dsn`, whose queue on disk keeps its place when routing is added. */
  #projectOf(dsn: Dsn, isRouted: boolean): Project {
    const key = `${dsn.envelopeUrl.href} ${dsn.publicKey}`;
    const project = this.#known.get(key) ?? this.#create(dsn, isRouted ? queueNameOf(dsn.project, key) : undefined);
    this.#known.set(key, project);
    return project;
  }

  #create(dsn: Dsn, queueName: string | undefined): Project {
    const { routing, protocol } = this.#config;
    const { logger } = this.#settings;
    const settings =
      routing === undefined ? this.#settings : { ...this.#settings, logger: logger.child({ project: dsn.project }) };
    const outcomes = new Outcomes(settings);
    const automatic = isSentrySaas(dsn) ? 'spans' : 'transactions';
    const project: Project = {
      publicKey: dsn.publicKey,
      publicKeyOf: (resource) => {
        const of = this.of(resource);
        return of.absence !== undefined || of === project ? undefined : of.publicKey;
      },
      logger: settings.logger,
      settings: { ...this.#eventSettings, protocol: protocol === 'auto' ? automatic : protocol },
      outcomes,
      delivery: new EnvelopeDelivery(dsn, settings, this.#config, { outcomes, queueName }),
    };
    return project;
  }
}

/** Two projects may have the same number, and two keys the same project. */
function queueNameOf(project: string, key: string): string {
  return `${project}-${hash('sha256', key).slice(0, 16)}`;
}

interface Route {
  readonly patterns: readonly ((text: string) => boolean)[];
  readonly destination: Destination;
}
