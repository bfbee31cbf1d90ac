// Grafana's older table: the newer one ignores a renamed column outside of Grafana.

import { Table as Grid } from '@grafana/ui';

export function Table({ panel, width, height }) {
  const { showHeader, cellHeight, sortBy } = panel.options;
  return (
    <Grid
      data={panel.frames[0]}
      width={width}
      height={height}
      noHeader={showHeader === false}
      cellHeight={cellHeight}
      initialSortBy={sortBy}
    />
  );
}
