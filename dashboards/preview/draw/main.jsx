// The page: `window.draw(board)` draws what ask/board.js found out, and says what is wrong or empty.

import '@fontsource/inter/400.css';
import '@fontsource/inter/500.css';

import { createTheme } from '@grafana/data';
import { initPluginTranslations } from '@grafana/i18n';
import { GlobalStyles, PortalContainer, ThemeContext } from '@grafana/ui';
import { createRoot } from 'react-dom/client';

import { Board } from './board.jsx';
import { prepare } from './frames.js';
import { register } from './registries.js';

window.draw = async (board) => {
  await initPluginTranslations('grafana');
  register();
  const theme = createTheme({ colors: { mode: board.theme } });
  const problems = [];
  const panels = [];
  for (const panel of board.panels) {
    try {
      panels.push({ ...panel, frames: await prepare(panel, board, theme) });
    } catch (error) {
      problems.push({ panel: panel.title, text: error.message });
      panels.push({ ...panel, frames: [], problems: [...panel.problems, error.message] });
    }
  }
  const onError = (panel, error) => problems.push({ panel, text: error.message });
  createRoot(document.getElementById('board')).render(
    <ThemeContext.Provider value={theme}>
      <GlobalStyles />
      <Board board={{ ...board, panels }} theme={theme} onError={onError} />
      <PortalContainer />
    </ThemeContext.Provider>,
  );
  await settled();
  return { problems, empty: panels.filter(isEmpty).map(({ title }) => title) };
};

/** Fonts are there, and what measures itself has drawn itself again. */
async function settled() {
  await frame();
  await document.fonts.ready;
  for (let count = 0; count < 5; count += 1) await frame();
}

function frame() {
  return new Promise(requestAnimationFrame);
}

function isEmpty({ type, frames, problems }) {
  return type !== 'row' && type !== 'text' && !problems.length && !frames.some(({ length }) => length);
}
