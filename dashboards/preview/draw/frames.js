// From the answers of Prometheus to the frames that Grafana's components draw.

import { FieldType, applyFieldOverrides, toDataFrame, transformDataFrame } from '@grafana/data';
import { lastValueFrom } from 'rxjs';

import { buckets } from './buckets.js';
import { replacer } from './links.js';
import { propertiesOf } from './registries.js';

/** Lines have a color each; other panels are colored by their thresholds, if they have some. */
const COLOR_BY_NAME = ['timeseries'];

/** The frames of one panel, transformed, with units, colors and links. */
export async function prepare(panel, board, theme) {
  if (panel.type === 'row') return [];
  const many = panel.answers.length > 1;
  const frames = panel.answers.flatMap((answer) => framesOf(answer, many));
  const data = await lastValueFrom(transformDataFrame(panel.transformations ?? [], frames));
  const fieldConfig = config(panel);
  return applyFieldOverrides({
    data,
    fieldConfig,
    theme,
    timeZone: 'browser',
    fieldConfigRegistry: propertiesOf(fieldConfig),
    replaceVariables: replacer(board),
  })
    .map(withoutNothing)
    .filter(({ length }) => length);
}

function framesOf(answer, many) {
  if (answer.format === 'table') return answer.series.length ? [table(answer, many)] : [];
  if (answer.format === 'heatmap') return buckets(answer.series).map((series) => line(answer, series));
  return answer.series.map((series) => line(answer, series));
}

/** One series over time, named by the legend. Without the interval, gaps and sparklines would vanish. */
function line({ refId, legendFormat, step }, { labels, points }) {
  return toDataFrame({
    refId,
    fields: [
      {
        name: 'Time',
        type: FieldType.time,
        values: points.map(([time]) => time * 1000),
        config: { interval: step * 1000 },
      },
      {
        name: 'Value',
        type: FieldType.number,
        values: points.map(([, text]) => number(text)),
        labels,
        config: { displayNameFromDS: legend(legendFormat, labels) },
      },
    ],
  });
}

/** All series of a query: a column for each label, and one for the value. */
function table({ refId, series }, many) {
  const names = [...new Set(series.flatMap(({ labels }) => Object.keys(labels)))].sort();
  const rows = series.flatMap(({ labels, points }) => points.map(([time, text]) => ({ labels, time, text })));
  const column = (name, type, pick) => ({ name, type, values: rows.map(pick), config: {} });
  return toDataFrame({
    refId,
    fields: [
      column('Time', FieldType.time, ({ time }) => time * 1000),
      ...names.map((name) => column(name, FieldType.string, ({ labels }) => labels[name] ?? '')),
      column(many ? `Value #${refId}` : 'Value', FieldType.number, ({ text }) => number(text)),
    ],
  });
}

function legend(format, labels) {
  if (format && format !== '__auto')
    return format.replace(/\{\{\s*(\w+)\s*\}\}/g, (_, name) => labels[name] ?? '');
  const { __name__: name = '', ...rest } = labels;
  return `${name}{${Object.entries(rest)
    .map(([label, value]) => `${label}="${value}"`)
    .join(', ')}}`;
}

/** `+Inf` and `NaN` are how Prometheus writes what JSON cannot. */
function number(text) {
  return Number(text.replace('Inf', 'Infinity'));
}

/** What a panel says about its fields, with Grafana's defaults for this kind of panel. */
function config({ type, fieldConfig = {} }) {
  const { defaults = {}, overrides = [] } = fieldConfig;
  const color = defaults.color ?? { mode: COLOR_BY_NAME.includes(type) ? 'palette-classic' : 'thresholds' };
  return {
    defaults: { ...defaults, color, thresholds: steps(defaults.thresholds) },
    overrides: overrides.map(({ matcher, properties }) => ({
      matcher,
      properties: properties.map(({ id, value }) => ({
        id,
        value: id === 'thresholds' ? steps(value) : value,
      })),
    })),
  };
}

/** The lowest step of thresholds has no value in JSON: it begins below every number. */
function steps(thresholds) {
  return (
    thresholds && {
      ...thresholds,
      steps: thresholds.steps.map((step) => ({ ...step, value: step.value ?? -Infinity })),
    }
  );
}

/** A transformation of no frame gives a frame without fields. */
function withoutNothing(frame) {
  return frame.fields.length ? frame : { ...frame, length: 0 };
}
