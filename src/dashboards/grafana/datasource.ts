import type { DataSourceRef } from '@grafana/grafana-foundation-sdk/common';
import { datasource } from '../model/variables.ts';

/** The Prometheus that the reader of the dashboard has chosen. */
export const datasourceRef: DataSourceRef = { type: 'prometheus', uid: `\${${datasource.name}}` };
