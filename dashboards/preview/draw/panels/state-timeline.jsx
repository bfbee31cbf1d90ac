// The states of series over time: a bar for each series, in the color of its value.

import { formattedValueToString, getFieldDisplayName } from '@grafana/data';
import { useMemo } from 'react';

import { Cells } from './cells.jsx';

export function StateTimeline({ panel, ...rest }) {
  const { rows, cells } = useMemo(() => states(panel), [panel]);
  return <Cells rows={rows} cells={cells} filled={panel.options.rowHeight ?? 0.9} gap={0} {...rest} />;
}

/** Grafana draws the first series on top; rows are counted from below. */
function states({ frames, options }) {
  const series = [...frames].reverse();
  return {
    rows: series.map((frame) => getFieldDisplayName(frame.fields[1], frame, frames)),
    cells: series.flatMap(({ fields: [time, value] }, row) =>
      stretches(time, value, options).map((stretch) => ({ row, ...stretch })),
    ),
  };
}

/** Equal values in a row are one stretch; a missing step ends it. */
function stretches({ values: times, config }, { values, display }, { mergeValues = true, showValue }) {
  const found = [];
  times.forEach((from, place) => {
    const shown = display(values[place]);
    const text = formattedValueToString(shown);
    const [last, to] = [found.at(-1), from + config.interval];
    if (mergeValues && last && last.to === from && last.text === text && last.color === shown.color)
      last.to = to;
    else found.push({ from, to, text, color: shown.color });
  });
  return showValue === 'never' ? found.map(({ text, ...stretch }) => stretch) : found;
}
