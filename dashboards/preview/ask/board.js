// Everything that a picture of a board needs: its panels with their places and answers.

import { readFileSync } from 'node:fs';

import { place } from './layout.js';
import { QueryError } from './prometheus.js';
import { rangeOf, seconds, steps } from './time.js';
import { fill, settle } from './variables.js';

const KNOWN = JSON.parse(readFileSync(new URL('../known.json', import.meta.url)));
const DEFAULT_RANGE = 6 * 3600;

/** Runs all queries of a board as of `now`, in seconds; problems are collected, none ends the run. */
export async function answer(board, prometheus, { now, range: wanted, scrapeInterval, width, choices }) {
  const range = { from: now - (wanted ?? rangeOf(board) ?? DEFAULT_RANGE), to: now };
  const { variables, problems } = await settle(board, prometheus, range, choices);
  const ask = asker(prometheus, range, scrapeInterval, variables);
  const panels = [];
  for (const panel of place(board, width)) {
    const found = unknown(panel);
    const targets = (panel.targets ?? []).filter(({ hide }) => !hide && !found.length);
    const answers = await Promise.all(targets.map((target) => ask(panel, target)));
    const failed = answers.filter(({ error }) => error).map(({ refId, error }) => `query ${refId}: ${error}`);
    panels.push({
      ...panel,
      title: fill(panel.title ?? '', variables, {}, 'text'),
      answers,
      problems: [...found, ...failed],
    });
  }
  const annotations = await marks(board, ask, problems);
  return {
    title: board.title,
    description: board.description,
    range,
    variables,
    panels,
    annotations,
    problems: [
      ...problems,
      ...panels.flatMap(({ title, problems }) => problems.map((text) => ({ panel: title, text }))),
    ],
  };
}

function asker(prometheus, range, scrapeInterval, variables) {
  return async (panel, target) => {
    const minimum = seconds(target.interval || panel.interval || '') ?? scrapeInterval;
    const { step, values } = steps(range, panel.maxDataPoints ?? panel.place.width, scrapeInterval, minimum);
    const expression = fill(target.expr, variables, values);
    const asked = { ...target, step, expression };
    try {
      const series = target.instant
        ? await prometheus.instant(expression, range.to)
        : await prometheus.range(expression, range, step);
      return { ...asked, series };
    } catch (error) {
      if (!(error instanceof QueryError)) throw error;
      return { ...asked, series: [], error: error.message };
    }
  };
}

/** The annotations' series, each as wide as the range; Grafana asks for them in steps of its own. */
async function marks(board, ask, problems) {
  const wanted = (board.annotations?.list ?? []).filter(({ enable, expr }) => enable && expr);
  return Promise.all(
    wanted.map(async (annotation) => {
      const target = { ...annotation, refId: annotation.name, interval: annotation.step };
      const answered = await ask({ place: { width: 1000 } }, target);
      if (answered.error) problems.push({ panel: `annotation ${annotation.name}`, text: answered.error });
      return answered;
    }),
  );
}

/** What the preview would draw wrong, or not at all. */
function unknown(panel) {
  const { defaults = {}, overrides = [] } = panel.fieldConfig ?? {};
  const changed = overrides.flatMap(({ properties }) => properties.filter(({ id }) => id === 'unit'));
  const units = [defaults.unit, ...changed.map(({ value }) => value)].filter(Boolean);
  return [
    ...missing('panel', [panel.type], KNOWN.panels),
    ...missing(
      'transformation',
      (panel.transformations ?? []).map(({ id }) => id),
      KNOWN.transformations,
    ),
    ...missing('unit', units, KNOWN.units),
    ...(panel.repeat ? [`the preview does not repeat a panel (repeat: ${panel.repeat})`] : []),
  ];
}

function missing(kind, names, known) {
  return names
    .filter((name) => !known.includes(name))
    .map((name) => `the preview knows no ${kind} ${name}; see known.json`);
}
