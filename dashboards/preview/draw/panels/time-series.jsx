// Lines over time, with the annotations.

import { FieldType, dateTime } from '@grafana/data';
import { TimeSeries as Lines } from '@grafana/ui';
import { useMemo } from 'react';

import { marking } from '../annotations.js';

export function TimeSeries({ panel, board, theme, width, height }) {
  const { from, to } = board.range;
  const timeRange = { from: dateTime(from * 1000), to: dateTime(to * 1000), raw: { from: 'now', to: 'now' } };
  const frames = useMemo(() => panel.frames.map(finite), [panel]);
  return (
    <Lines
      frames={frames} width={width} height={height} timeRange={timeRange} timeZone="browser"
      legend={{ calcs: [], ...panel.options?.legend }} renderers={[marking(board.annotations, theme)]}
    />
  );
}

/** A quantile of nothing is NaN: a gap in a line, where the graph would lose its scale. */
function finite(frame) {
  return {
    ...frame,
    fields: frame.fields.map((field) => (
      field.type === FieldType.number ? { ...field, values: field.values.map((value) => (Number.isFinite(value) ? value : null)) } : field
    )),
  };
}
