// The page that draws, made by vite once and again when its sources change.

import { renameSync, rmSync, statSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import react from '@vitejs/plugin-react';
import { build } from 'vite';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const DIST = here('dist');
const SOURCES = ['draw', 'draw/panels', 'ask', 'known.json', 'package.json', 'bundle.js'].map(here);

/** The folder of the page. */
export async function bundle() {
  if (newest([DIST]) > newest(SOURCES)) return DIST;
  console.log('making the page that draws; this takes half a minute, and only after a change');
  const made = `${DIST}-${process.pid}`;
  try {
    await build(settings(made));
    rmSync(DIST, { recursive: true, force: true });
    renameSync(made, DIST); // at once, for others who draw at the same time
  } finally {
    rmSync(made, { recursive: true, force: true });
  }
  return DIST;
}

function settings(outDir) {
  return {
    root: here('draw'),
    configFile: false,
    logLevel: 'error',
    plugins: [react()],
    // What Grafana's components expect of the bundler of Grafana.
    define: { 'process.env.NODE_ENV': '"production"', 'process.env': '{}' },
    resolve: { alias: { 'monaco-editor': here('draw/no-editor.js') } },
    build: { outDir, emptyOutDir: true, chunkSizeWarningLimit: 20_000, reportCompressedSize: false },
  };
}

/** The time of the newest file of some folders and files, 0 if there is none. */
function newest(paths) {
  const files = paths.flatMap((path) => {
    const found = statSync(path, { throwIfNoEntry: false });
    if (!found?.isDirectory()) return found ? [found] : [];
    return readdirSync(path).map((name) => statSync(`${path}/${name}`));
  });
  return Math.max(0, ...files.map(({ mtimeMs }) => mtimeMs));
}
