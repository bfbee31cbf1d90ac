// Annotations on a graph: a dashed line where one begins, a shade while it lasts.

/** A "renderer" of Grafana's graph; it draws no series. */
export function marking(annotations, theme) {
  const marks = annotations.flatMap((annotation) =>
    spans(annotation).map((span) => ({ ...span, color: annotation.iconColor })),
  );
  return {
    fieldMap: {},
    indicesOnly: [],
    init: (builder) =>
      builder.addHook('draw', (plot) => marks.forEach((mark) => drawMark(plot, mark, theme))),
  };
}

/** Points that follow each other at the step are one annotation. */
function spans({ series, step }) {
  return series.flatMap(({ points }) => {
    const found = [];
    for (const [time] of points) {
      const last = found.at(-1);
      if (last && time - last.to <= step) last.to = time;
      else found.push({ from: time, to: time });
    }
    return found;
  });
}

function drawMark({ ctx, bbox, valToPos }, { from, to, color }, theme) {
  const right = bbox.left + bbox.width;
  const left = Math.max(bbox.left, valToPos(from * 1000, 'x', true));
  const end = Math.min(right, valToPos(to * 1000, 'x', true));
  if (left > right || end < bbox.left) return;
  ctx.save();
  ctx.fillStyle = theme.visualization.getColorByName(color);
  ctx.strokeStyle = ctx.fillStyle;
  ctx.globalAlpha = 0.12;
  ctx.fillRect(left, bbox.top, end - left, bbox.height);
  ctx.globalAlpha = 1;
  ctx.setLineDash([5, 5]);
  ctx.beginPath();
  ctx.moveTo(left, bbox.top);
  ctx.lineTo(left, bbox.top + bbox.height);
  ctx.stroke();
  ctx.fillRect(left, bbox.top + bbox.height, Math.max(3, end - left), 4);
  ctx.restore();
}
