// Where Grafana puts panels: a grid of 24 columns, each row 30 pixels high, with 8 pixels between.

const COLUMNS = 24;
const CELL = 30;
const GAP = 8;

/** The panels of a board with their places in pixels; what a collapsed row hides is opened. */
export function place(board, width) {
  const column = (width - GAP * (COLUMNS - 1)) / COLUMNS;
  return opened(board.panels).map((panel) => {
    const { x, y, w, h } = panel.gridPos;
    return {
      ...panel,
      place: {
        left: x * (column + GAP),
        top: y * (CELL + GAP),
        width: w * (column + GAP) - GAP,
        height: h * (CELL + GAP) - GAP,
      },
    };
  });
}

function opened(panels) {
  const placed = [];
  let moved = 0;
  for (const panel of [...panels].sort((a, b) => a.gridPos.y - b.gridPos.y || a.gridPos.x - b.gridPos.x)) {
    placed.push(down(panel, moved));
    if (panel.type !== 'row' || !panel.panels?.length) continue;
    const first = Math.min(...panel.panels.map(({ gridPos }) => gridPos.y));
    const inside = panel.panels.map((hidden) => down(hidden, panel.gridPos.y + 1 + moved - first));
    moved += Math.max(...inside.map(({ gridPos }) => gridPos.y + gridPos.h)) - (panel.gridPos.y + 1 + moved);
    placed.push(...inside);
  }
  return placed;
}

function down(panel, rows) {
  return { ...panel, gridPos: { ...panel.gridPos, y: panel.gridPos.y + rows } };
}
