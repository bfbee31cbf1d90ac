// Times and steps, as Grafana chooses them.

const SECONDS = { ms: 0.001, s: 1, m: 60, h: 3600, d: 86400, w: 604800, y: 31536000 };

const ROUND_STEPS = [
  1, 2, 5, 10, 15, 20, 30, 60, 120, 300, 600, 900, 1200, 1800, 3600, 7200, 10800, 21600, 43200, 86400,
];

/** Seconds of a duration such as `15s` or `1h30m`; undefined if it is none. */
export function seconds(text) {
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(ms|[smhdwy])/g)];
  if (!parts.length || parts.map(([part]) => part).join('') !== text) return undefined;
  return parts.reduce((sum, [, number, unit]) => sum + Number(number) * SECONDS[unit], 0);
}

/** A duration as PromQL writes it. */
export function duration(count) {
  return Number.isInteger(count) ? `${count}s` : `${Math.round(count * 1000)}ms`;
}

/** The seconds that a board shows when it opens; undefined unless it is `now-<duration>`. */
export function rangeOf(board) {
  return seconds((board.time?.from ?? '').replace(/^now-/, ''));
}

/** What the queries of one panel get: the step of its lines, and the values of the variables of time. */
export function steps(range, width, scrapeInterval, minimum = scrapeInterval) {
  const step = Math.max(minimum, roundStep((range.to - range.from) / width));
  return {
    step,
    values: {
      __interval: duration(step),
      __interval_ms: `${step * 1000}`,
      __rate_interval: duration(Math.max(step + scrapeInterval, 4 * scrapeInterval)),
      __range: duration(range.to - range.from),
      __range_s: `${range.to - range.from}`,
      __range_ms: `${(range.to - range.from) * 1000}`,
    },
  };
}

/** The round step that is nearest, by ratio. */
function roundStep(wanted) {
  const distance = (step) => Math.abs(Math.log(step / wanted));
  return ROUND_STEPS.reduce((best, step) => (distance(step) < distance(best) ? step : best));
}
