import { createNoopMeter } from '@opentelemetry/api';
import { componentKinds, type ComponentMetrics } from '../../../src/engine/component.ts';
import { Instruments } from '../../../src/metrics/instruments.ts';

/** Instruments that record nothing. */
export const noMetrics: ComponentMetrics = new Instruments(createNoopMeter(), componentKinds);
