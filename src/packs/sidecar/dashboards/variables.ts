import { valuesOf } from '../../../dashboards/model/variables.ts';
import { seriesOf } from './promql.ts';

export const sidecar = valuesOf(seriesOf('otelcol_process_uptime'), 'instance', {
  name: 'sidecar',
  label: 'Sidecar',
  description: 'The sidecars, by the address of their own metrics',
  narrows: { sources: ['sidecar'] },
});
