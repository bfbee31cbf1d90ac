// The distribution of a histogram over time: a row for each bucket, a column for each step.

import { colorManipulator, formattedValueToString, getValueFormat } from '@grafana/data';
import * as schemes from 'd3-scale-chromatic';
import { useMemo } from 'react';

import { Cells } from './cells.jsx';

const SCALE = 30;

export function Heatmap({ panel, theme, width, height, ...rest }) {
  const { rows, cells, highest, colorOf } = useMemo(() => heat(panel, theme), [panel, theme]);
  const scale = panel.options.legend?.show ? SCALE : 0;
  return (
    <div>
      <Cells
        rows={rows}
        cells={cells}
        filled={1}
        gap={panel.options.cellGap ?? 1}
        between
        theme={theme}
        width={width}
        height={height - scale}
        {...rest}
      />
      {scale > 0 && <Scale highest={format(highest, panel.fieldConfig.defaults.unit)} colorOf={colorOf} />}
    </div>
  );
}

function heat({ frames, options }, theme) {
  const counts = frames.map(({ fields: [time, value] }) => ({
    times: time.values,
    step: time.config.interval,
    values: value.values,
  }));
  const highest = Math.max(0, ...counts.flatMap(({ values }) => values));
  const colorOf = coloring(options.color, theme);
  const cells = counts.flatMap(({ times, step, values }, row) =>
    times.flatMap((time, place) =>
      values[place] > (options.filterValues?.le ?? 1e-9)
        ? [{ row, from: time - step, to: time, color: colorOf(values[place] / highest) }]
        : [],
    ),
  );
  return {
    rows: frames.map(({ fields: [, { labels }] }) => bound(labels.le, options.yAxis?.unit)),
    cells,
    highest,
    colorOf,
  };
}

/** From a share of the highest count to a color, in as many steps as the panel asks for. */
function coloring({ mode, scheme = 'Oranges', steps = 64, reverse, fill, exponent = 0.5 } = {}, theme) {
  if (mode === 'opacity')
    return (share) =>
      `color-mix(in srgb, ${theme.visualization.getColorByName(fill)} ${100 * share ** exponent}%, transparent)`;
  const interpolate = schemes[`interpolate${scheme}`];
  if (!interpolate) throw new Error(`no scheme of colors: ${scheme}`);
  // Few is near the background, whichever way round the scheme is.
  const rises = colorManipulator.getLuminance(interpolate(0)) < colorManipulator.getLuminance(interpolate(1));
  const turned = Boolean(reverse) !== (theme.isDark !== rises);
  return (share) => {
    const step = Math.min(steps - 1, Math.floor(share * steps)) / (steps - 1);
    return interpolate(turned ? 1 - step : step);
  };
}

function bound(le, unit) {
  return le === '+Inf' ? le : format(Number(le), unit);
}

function format(value, unit) {
  return formattedValueToString(getValueFormat(unit ?? 'short')(value));
}

function Scale({ highest, colorOf }) {
  const stops = Array.from({ length: 33 }, (_, place) => colorOf(place / 32));
  return (
    <div
      style={{ display: 'flex', alignItems: 'center', gap: 8, height: SCALE, paddingLeft: 50, fontSize: 12 }}
    >
      0<div style={{ width: 200, height: 8, background: `linear-gradient(to right, ${stops.join(',')})` }} />
      {highest}
    </div>
  );
}
