// Draws dashboards to pictures: `node preview.js --help`. Status 0; 1 if a query or a panel failed; 2 for bad input.

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

import { InputError, USAGE, read } from './arguments.js';
import { answer } from './ask/board.js';
import { Prometheus, QueryError } from './ask/prometheus.js';
import { report } from './report.js';

const MARGIN = 16;

async function main() {
  const options = { ...read(process.argv.slice(2)), now: Math.floor(Date.now() / 1000) };
  if (options.help) return say(USAGE);
  const prometheus = new Prometheus(options.prometheus);
  await prometheus.check();
  makeFolder(options.out);
  const { bundle, Chromium } = await drawing();
  const chromium = await Chromium.start(await bundle(), options.width);
  try {
    for (const board of options.boards) await preview(board, prometheus, chromium, options);
  } finally {
    await chromium.stop();
  }
}

/** What draws, and needs the packages. */
async function drawing() {
  try {
    return { ...(await import('./bundle.js')), ...(await import('./chromium.js')) };
  } catch (error) {
    if (error.code !== 'ERR_MODULE_NOT_FOUND') throw error;
    throw new InputError(
      'its packages are not installed: run `npm install --ignore-scripts --no-package-lock` in dashboards/preview',
    );
  }
}

async function preview({ name, content }, prometheus, chromium, options) {
  const answered = await answer(content, prometheus, { ...options, width: options.width - 2 * MARGIN });
  const pictures = [];
  for (const theme of options.themes) {
    const file = join(options.out, `${name}.${theme}.png`);
    pictures.push({ file, ...(await chromium.draw({ ...answered, theme, margin: MARGIN }, file)) });
  }
  const { lines, failed } = report(answered, pictures);
  lines.forEach(say);
  if (failed) process.exitCode = 1;
}

function makeFolder(path) {
  try {
    mkdirSync(path, { recursive: true });
  } catch (error) {
    throw new InputError(`--out ${path}: ${error.message}`);
  }
}

function say(line) {
  console.log(line);
}

try {
  await main();
} catch (error) {
  if (!(error instanceof InputError || error instanceof QueryError)) throw error;
  console.error(`preview: ${error.message}`);
  process.exitCode = 2;
}
