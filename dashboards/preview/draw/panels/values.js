// Numbers of a panel that shows each series as one, as stat and bar gauge do.

import { getFieldDisplayValues } from '@grafana/data';

import { replacer } from '../links.js';

export function valuesOf({ frames, options, fieldConfig }, board, theme) {
  return getFieldDisplayValues({
    data: frames,
    theme,
    timeZone: 'browser',
    sparkline: options.graphMode !== 'none',
    fieldConfig: fieldConfig ?? { defaults: {}, overrides: [] },
    reduceOptions: { calcs: ['lastNotNull'], ...options.reduceOptions },
    replaceVariables: replacer(board),
  });
}
