// The page: `window.draw(board)` draws what ask/board.js fetched, and returns what is wrong or empty.

import { createTheme, getValueFormats } from '@grafana/data';
import { initPluginTranslations } from '@grafana/i18n';
import { GlobalStyles, PortalContainer, ThemeContext } from '@grafana/ui';
import { createRoot } from 'react-dom/client';

import known from '../known.json';
import { Board } from './board.jsx';
import { prepare } from './frames.js';
import { register } from './registries.js';

window.draw = async (board) => {
  await initPluginTranslations('grafana');
  register();
  const theme = createTheme({ colors: { mode: board.theme } });
  const root = createRoot(document.getElementById('board'));
  root.render(<Themed theme={theme} />);
  await fonts();
  const problems = strangeUnits();
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
  root.render(
    <Themed theme={theme}>
      <Board board={{ ...board, panels }} theme={theme} onError={onError} />
    </Themed>,
  );
  await settled();
  return { problems, empty: panels.filter(isEmpty).map(({ title }) => title) };
};

/** Grafana writes a unit that it does not know behind each number; "count:jobs/s" is a unit of our own. */
function strangeUnits() {
  const units = getValueFormats().flatMap(({ submenu }) => submenu.map(({ value }) => value));
  const strange = known.units.filter((unit) => !units.includes(unit) && !unit.startsWith('count:'));
  return strange.map((unit) => ({ panel: 'known.json', text: `Grafana knows no unit ${unit}` }));
}

function Themed({ theme, children }) {
  return (
    <ThemeContext.Provider value={theme}>
      <GlobalStyles />
      {children}
      <PortalContainer />
    </ThemeContext.Provider>
  );
}

/** Panels measure their texts, so the fonts must be loaded first. */
async function fonts() {
  for (const font of ['400 14px Inter', '500 14px Inter']) {
    while (!(await document.fonts.load(font)).length) await frame(); // the styles are not there yet
  }
}

/** Waits until panels that measure themselves are drawn again. */
async function settled() {
  for (let count = 0; count < 5; count += 1) await frame();
}

function frame() {
  return new Promise(requestAnimationFrame);
}

function isEmpty({ type, frames, problems }) {
  return type !== 'row' && !problems.length && !frames.some(({ length }) => length);
}
