// Fills in the variables in links: those of the board, of the row that is clicked, and of the time range.

import { getFieldDisplayName } from '@grafana/data';

import { fill } from '../ask/variables.js';

const CELL = /\$\{__data\.fields\["?([^"\]]+)"?\](?::(\w+))?\}/g;

export function replacer({ variables, range }) {
  const extra = { __url_time_range: `from=${range.from * 1000}&to=${range.to * 1000}` };
  return (text, scope) =>
    fill(withCells(`${text ?? ''}`, scope?.__dataContext?.value), variables, extra, 'text');
}

function withCells(text, context) {
  if (!context) return text;
  return text.replace(CELL, (use, name, format) => {
    const field = context.frame.fields.find(
      (one) => getFieldDisplayName(one, context.frame) === name || one.name === name,
    );
    if (!field || context.rowIndex === undefined) return use;
    const value = `${field.values[context.rowIndex]}`;
    return format === 'percentencode' ? encodeURIComponent(value) : value;
  });
}
