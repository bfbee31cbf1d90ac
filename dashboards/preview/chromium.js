// A real browser with the page that draws. No port is opened: the browser gets every file from here.

import { existsSync } from 'node:fs';
import { join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';

import { chromium } from 'playwright-core';

import { InputError } from './arguments.js';

const PAGE = 'http://preview.invalid/';
const PROGRAMS = [
  process.env.CHROMIUM,
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
];
const WEIGHTS = { Regular: 400, Medium: 500 };
const PACKAGES = fileURLToPath(new URL('node_modules', import.meta.url));

export class Chromium {
  #browser;
  #page;
  #complaints = [];

  static async start(folder, width) {
    const executablePath = PROGRAMS.find((path) => path && existsSync(path));
    if (!executablePath)
      throw new InputError('there is no Chromium: apt-get install chromium, or name one in $CHROMIUM');
    const made = new Chromium();
    made.#browser = await launch(executablePath);
    made.#page = await made.#browser.newPage({ viewport: { width, height: 900 } });
    made.#page.on('pageerror', (error) => made.#complaints.push({ panel: 'the page', text: error.message }));
    await made.#page.route('**/*', (route) => serve(route, folder));
    return made;
  }

  /** Draws one board to a file; what the page found wrong or empty. */
  async draw(board, file) {
    this.#complaints = [];
    await this.#page.goto(PAGE);
    const drawn = await this.#page.evaluate((content) => window.draw(content), board);
    await this.#page.waitForLoadState('networkidle'); // the icons
    await this.#page.screenshot({ path: file, fullPage: true });
    return { ...drawn, problems: [...drawn.problems, ...this.#complaints] };
  }

  async stop() {
    await this.#browser.close();
  }
}

async function launch(executablePath) {
  try {
    return await chromium.launch({ executablePath, args: ['--force-color-profile=srgb'] });
  } catch (error) {
    throw new InputError(`${executablePath} does not start: ${error.message.split('\n')[0]}`);
  }
}

function serve(route, folder) {
  const path = normalize(decodeURIComponent(new URL(route.request().url()).pathname));
  const file = published(path) ?? join(folder, path === '/' ? 'index.html' : path);
  return existsSync(file) ? route.fulfill({ path: file }) : route.fulfill({ status: 404 });
}

/** Icons and fonts, which Grafana's components ask a Grafana for. */
function published(path) {
  const [, icon] = /^\/public\/build\/img\/icons\/(.+)$/.exec(path) ?? [];
  if (icon) return join(PACKAGES, '@grafana/ui/dist/public/img/icons', icon);
  const [, weight] = /^\/public\/fonts\/inter\/Inter-(\w+)\.woff2$/.exec(path) ?? [];
  return weight && join(PACKAGES, `@fontsource/inter/files/inter-latin-${WEIGHTS[weight]}-normal.woff2`);
}
