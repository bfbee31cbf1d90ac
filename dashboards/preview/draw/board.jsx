// The whole picture: a title, then the panels at their places.

import { dateTimeFormat } from '@grafana/data';
import { css } from '@emotion/css';

import { shown } from '../ask/variables.js';
import { Panel } from './panel.jsx';

export function Board({ board, theme, onError }) {
  const { panels, margin, variables } = board;
  const bottom = Math.max(0, ...panels.map(({ place }) => place.top + place.height));
  const choices = Object.values(variables).filter(({ hide, type }) => hide !== 2 && type !== 'constant');
  const styles = stylesOf(theme, margin);
  return (
    <div className={styles.page}>
      <header className={styles.header}>
        <h1 className={styles.title}>{board.title}</h1>
        <span className={styles.range}>
          {time(board.range.from)} to {time(board.range.to)}
        </span>
        <strong className={styles.mark}>preview, not Grafana</strong>
      </header>
      <div className={styles.choices}>
        {choices.map((variable) => (
          <span key={variable.name} className={styles.choice}>
            <b>{variable.label}</b>
            {shown(variable)}
          </span>
        ))}
      </div>
      <main style={{ position: 'relative', height: bottom }}>
        {panels.map((panel) => (
          <div key={panel.id ?? panel.title} style={{ position: 'absolute', ...panel.place }}>
            <Panel panel={panel} board={board} theme={theme} onError={onError} />
          </div>
        ))}
      </main>
    </div>
  );
}

function time(seconds) {
  return dateTimeFormat(seconds * 1000);
}

function stylesOf({ colors, shape, typography }, margin) {
  return {
    page: css({ padding: margin, background: colors.background.canvas, fontFamily: typography.fontFamily }),
    header: css({ display: 'flex', alignItems: 'baseline', gap: 16, marginBottom: 8 }),
    title: css({ margin: 0, fontSize: 20 }),
    range: css({ color: colors.text.secondary, flex: 1 }),
    mark: css({
      padding: '2px 10px',
      border: `2px solid ${colors.warning.border}`,
      color: colors.warning.text,
      borderRadius: shape.radius.default,
    }),
    choices: css({ display: 'flex', flexWrap: 'wrap', gap: 8, marginBottom: 12 }),
    choice: css({
      border: `1px solid ${colors.border.medium}`,
      borderRadius: shape.radius.default,
      background: colors.background.primary,
      padding: '3px 8px',
      fontSize: 12,
      b: { color: colors.text.secondary, fontWeight: 500, marginRight: 8 },
    }),
  };
}
