// The command line, read once and checked once.

import { readFileSync, readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

import { seconds } from './ask/time.js';

const BOARDS = fileURLToPath(new URL('../json', import.meta.url));
const PICTURES = fileURLToPath(new URL('pictures', import.meta.url));

export const USAGE = `usage: node preview.js [options] [dashboard.json ...]

Draws dashboards to PNG files with the numbers of a Prometheus. Without a file: all of dashboards/json.

  --prometheus URL         [http://127.0.0.1:9090]
  --range DURATION         how far the pictures look back [that of the dashboard]
  --scrape-interval TIME   as set in Grafana's data source: the least step [15s]
  --var NAME=VALUE         choose a value of a variable; again for more values
  --theme light|dark|both  [both]
  --width PIXELS           [1600]
  --out FOLDER             [${PICTURES}]
  --help`;

/** Input that cannot be used; the message is one line that names it. */
export class InputError extends Error {}

export function read(argv) {
  const { values, positionals } = parse(argv);
  return {
    help: values.help,
    prometheus: url(values.prometheus),
    range: values.range && time('--range', values.range),
    scrapeInterval: time('--scrape-interval', values['scrape-interval']),
    choices: choices(values.var),
    themes: themes(values.theme),
    width: width(values.width),
    out: values.out,
    boards: (positionals.length ? positionals : committed()).map(board),
  };
}

function parse(args) {
  const text = (value) => ({ type: 'string', default: value });
  try {
    return parseArgs({
      args,
      allowPositionals: true,
      options: {
        help: { type: 'boolean', default: false },
        prometheus: text('http://127.0.0.1:9090'),
        range: { type: 'string' },
        'scrape-interval': text('15s'),
        var: { type: 'string', multiple: true, default: [] },
        theme: text('both'),
        width: text('1600'),
        out: text(PICTURES),
      },
    });
  } catch (error) {
    throw new InputError(error.message.split('\n')[0].replace(/\.? To specify a positional.*/, ''));
  }
}

function url(text) {
  if (!URL.canParse(text) || !/^https?:/.test(text))
    throw new InputError(`--prometheus ${text}: expected http://host:port`);
  return text;
}

function time(option, text) {
  const value = seconds(text);
  if (!value) throw new InputError(`${option} ${text}: expected a duration above 0, such as 30s or 1h`);
  return value;
}

function choices(texts) {
  const chosen = {};
  for (const text of texts) {
    const [, name, value] = /^(\w+)=(.*)$/s.exec(text) ?? [];
    if (!name) throw new InputError(`--var ${text}: expected NAME=VALUE`);
    (chosen[name] ??= []).push(value);
  }
  return chosen;
}

function themes(text) {
  if (!['light', 'dark', 'both'].includes(text))
    throw new InputError(`--theme ${text}: expected light, dark or both`);
  return text === 'both' ? ['light', 'dark'] : [text];
}

function width(text) {
  if (!/^\d+$/.test(text) || text < 400 || text > 8000)
    throw new InputError(`--width ${text}: expected 400 to 8000 pixels`);
  return Number(text);
}

function committed() {
  return readdirSync(BOARDS)
    .filter((name) => name.endsWith('.json'))
    .map((name) => join(BOARDS, name));
}

function board(path) {
  let content;
  try {
    content = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    throw new InputError(`${path}: ${error.code === 'ENOENT' ? 'there is no such file' : error.message}`);
  }
  if (!Array.isArray(content?.panels))
    throw new InputError(`${path}: expected a dashboard with a list of panels`);
  return { name: basename(path, '.json'), content };
}
