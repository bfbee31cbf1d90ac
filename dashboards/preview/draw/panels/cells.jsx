// Colored cells over time, in named rows: what heat map and state timeline share. Grafana does not publish either,
// so they are drawn here, on the graph that it does publish.

import { UPLOT_AXIS_FONT_SIZE, UPlotChart, UPlotConfigBuilder, measureText } from '@grafana/ui';
import { useMemo } from 'react';

const AXIS_GAP = 16;

/**
 * rows: names, the lowest first. cells: {row, from, to, color, text?} with times in milliseconds.
 * between: draw the names at the borders of the rows (for bounds of buckets) instead of at their middles.
 */
export function Cells({ rows, cells, filled, gap, between, board, theme, width, height }) {
  const config = useMemo(
    () => configOf({ rows, cells, filled, gap, between, range: board.range, theme }),
    [rows, cells],
  );
  const { from, to } = board.range;
  return (
    <UPlotChart
      config={config}
      data={[
        [from * 1000, to * 1000],
        [0, rows.length],
      ]}
      width={width}
      height={height}
    />
  );
}

function configOf({ rows, cells, filled, gap, between, range, theme }) {
  const builder = new UPlotConfigBuilder('browser');
  const x = { scaleKey: 'x', isTime: true, orientation: 0, direction: 1 };
  const y = { scaleKey: 'y', isTime: false, orientation: 1, direction: 1 };
  builder.addScale({ ...x, range: () => [range.from * 1000, range.to * 1000] });
  builder.addScale({ ...y, range: () => [0, rows.length] });
  builder.addAxis({ scaleKey: 'x', isTime: true, placement: 'bottom', timeZone: 'browser', theme });
  builder.addAxis({
    scaleKey: 'y',
    placement: 'left',
    theme,
    grid: { show: false },
    ...names(rows, between),
  });
  builder.addSeries({
    scaleKey: 'y',
    theme,
    drawStyle: 'line',
    pathBuilder: () => null,
    pointsBuilder: () => null,
    show: true,
  });
  builder.addHook('draw', (plot) => cells.forEach((cell) => drawCell(plot, cell, { filled, gap, theme })));
  return builder;
}

/** Every row's name, or every second, third, … one if there are too many for the height. */
function names(rows, between) {
  const places = rows.map((_, row) => row + (between ? 1 : 0.5));
  const step = (height) => Math.max(1, Math.ceil((rows.length * 16) / height));
  return {
    size: Math.max(...rows.map((row) => measureText(row, UPLOT_AXIS_FONT_SIZE).width)) + AXIS_GAP,
    splits: ({ bbox }) => places.filter((_, row) => row % step(bbox.height / devicePixelRatio) === 0),
    values: (_, splits) => splits.map((place) => rows[Math.ceil(place) - 1]),
  };
}

function drawCell({ ctx, bbox, valToPos }, { row, from, to, color, text }, { filled, gap, theme }) {
  const left = Math.max(bbox.left, Math.round(valToPos(from, 'x', true))); // whole pixels, or neighbors show a seam
  const right = Math.min(bbox.left + bbox.width, Math.round(valToPos(to, 'x', true)));
  if (right <= left) return;
  const [bottom, top] = [row + (1 - filled) / 2, row + (1 + filled) / 2].map((place) =>
    Math.round(valToPos(place, 'y', true)),
  );
  ctx.save();
  ctx.fillStyle = color;
  ctx.fillRect(left, top, Math.max(1, right - left - gap), Math.max(1, bottom - top - gap));
  if (text) drawText(ctx, text, { left, width: right - left, middle: (top + bottom) / 2 }, theme);
  ctx.restore();
}

function drawText(ctx, text, { left, width, middle }, theme) {
  ctx.font = `12px ${theme.typography.fontFamily}`;
  if (ctx.measureText(text).width > width - 8) return;
  ctx.fillStyle = theme.colors.getContrastText(ctx.fillStyle);
  ctx.textBaseline = 'middle';
  ctx.fillText(text, left + 4, middle);
}
