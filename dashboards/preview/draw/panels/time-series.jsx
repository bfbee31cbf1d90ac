// Lines over time, with the annotations.

import { dateTime } from '@grafana/data';
import { TimeSeries as Lines } from '@grafana/ui';
import { useMemo } from 'react';

import { marking } from '../annotations.js';

export function TimeSeries({ panel, board, theme, width, height }) {
  const { from, to } = board.range;
  const timeRange = { from: dateTime(from * 1000), to: dateTime(to * 1000), raw: { from: 'now', to: 'now' } };
  const frames = useMemo(() => panel.frames.map(withGaps), [panel]);
  return (
    <Lines
      frames={frames}
      width={width}
      height={height}
      timeRange={timeRange}
      timeZone="browser"
      legend={{ calcs: [], ...panel.options?.legend }}
      renderers={[marking(board.annotations, theme)]}
    />
  );
}

/** Adds a gap where a step is missing or a quantile is NaN (no data), which would break the graph's scale. */
function withGaps({ fields: [time, value], ...frame }) {
  const times = [];
  const values = [];
  time.values.forEach((now, place) => {
    if (place && now - times.at(-1) > time.config.interval) {
      times.push(times.at(-1) + time.config.interval);
      values.push(null);
    }
    times.push(now);
    values.push(Number.isFinite(value.values[place]) ? value.values[place] : null);
  });
  return {
    ...frame,
    length: times.length,
    fields: [
      { ...time, values: times },
      { ...value, values },
    ],
  };
}
