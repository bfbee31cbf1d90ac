// Lines over time, with the annotations.

import { dateTime } from '@grafana/data';
import { TimeSeries as Lines } from '@grafana/ui';

import { marking } from '../annotations.js';

export function TimeSeries({ panel, board, theme, width, height }) {
  const { from, to } = board.range;
  const timeRange = { from: dateTime(from * 1000), to: dateTime(to * 1000), raw: { from: 'now', to: 'now' } };
  return (
    <Lines
      frames={panel.frames} width={width} height={height} timeRange={timeRange} timeZone="browser"
      legend={{ calcs: [], ...panel.options?.legend }} renderers={[marking(board.annotations, theme)]}
    />
  );
}
