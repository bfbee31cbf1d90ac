// The variables of a board: what each offers, what is chosen, and a text with them filled in.
// The page that draws uses `fill` too, for links.

import { QueryError } from './prometheus.js';

const ALL = '$__all';

/** In `$name`, `${name}`, `${name.field}`, `${name:format}` and `[[name]]`. */
const USES = /\$\{([\w.]+)(?:\["?[^\]]*\])?(?::(\w+))?\}|\$(\w+)|\[\[(\w+)\]\]/g;

/** Name → variable with its `options` and what is `chosen`: texts, or "all" of them. */
export async function settle(board, prometheus, range, wishes) {
  const declared = new Map((board.templating?.list ?? []).map((variable) => [variable.name, variable]));
  const settled = {};
  const problems = [];

  async function settleOne(variable) {
    if (settled[variable.name]) return;
    settled[variable.name] = start(variable, wishes[variable.name]);
    for (const name of uses(queryText(variable))) {
      if (declared.has(name)) await settleOne(declared.get(name));
    }
    try {
      const options = await offered(variable, prometheus, range, settled);
      settled[variable.name] = choose(settled[variable.name], options);
    } catch (error) {
      if (!(error instanceof QueryError)) throw error;
      problems.push({ panel: `variable ${variable.name}`, text: error.message });
    }
  }

  for (const variable of declared.values()) await settleOne(variable);
  return { variables: settled, problems };
}

/** A text with its variables filled in; what is unknown stays. `extra` are plain texts by name. */
export function fill(text, variables, extra = {}, format = 'regex') {
  return text.replace(USES, (use, braced, asked, plain, bracketed) => {
    const name = braced ?? plain ?? bracketed;
    if (name in extra) return extra[name];
    return name in variables ? write(variables[name], asked ?? format) : use;
  });
}

/** One line for people: `All` or what is chosen. */
export function shown(variable) {
  return variable.all ? 'All' : variable.chosen.join(' + ') || '–';
}

function start({ name, label, type, hide, multi, includeAll, allValue, current }, wish) {
  const value = [wish ?? current?.value ?? []].flat();
  const all = value.includes(ALL) || (includeAll && !value.length);
  return {
    name,
    label: label || name,
    type,
    hide,
    multi: multi || includeAll,
    allValue,
    all,
    chosen: all ? [] : value,
    options: [],
  };
}

/** Without a choice of its own a variable takes the first value that it offers. */
function choose(variable, options) {
  const values = options.map(({ value }) => value);
  return {
    ...variable,
    options: values,
    chosen: variable.all || variable.chosen.length ? variable.chosen : values.slice(0, 1),
  };
}

async function offered(variable, prometheus, range, settled) {
  const text = fill(queryText(variable), settled);
  if (variable.type === 'custom' || variable.type === 'interval')
    return text.split(',').map((value) => ({ value: value.trim() }));
  if (variable.type !== 'query') return text ? [{ value: text }] : [];
  return pick(await ask(text, prometheus, range), variable.regex);
}

function queryText({ query }) {
  return typeof query === 'string' ? query : (query?.query ?? '');
}

async function ask(text, prometheus, range) {
  const [, result] = /^query_result\((.*)\)$/s.exec(text) ?? [];
  if (result) return (await prometheus.instant(result, range.to)).map(asText);
  const [, selector, label] = /^label_values\((?:(.+),\s*)?(\w+)\)$/s.exec(text) ?? [];
  if (label) return prometheus.labelValues(label, range, selector);
  throw new QueryError(`not a query of a variable that the preview knows: ${text}`);
}

/** A series as the variable's regular expression sees it. */
function asText({ labels: { __name__: name = '', ...labels }, points: [[time, value]] }) {
  const inside = Object.entries(labels).map(([label, text]) => `${label}="${text}"`);
  return `${name}{${inside.join(',')}} ${value} ${time * 1000}`;
}

function pick(texts, regex) {
  if (!regex) return texts.map((value) => ({ value }));
  const [, pattern, flags] = /^\/(.*)\/(\w*)$/s.exec(regex) ?? [, regex, ''];
  return texts.flatMap((text) => {
    const match = new RegExp(pattern, flags.replace('g', '')).exec(text);
    return match ? [{ value: match.groups?.value ?? match[1] ?? match[0] }] : [];
  });
}

function uses(text) {
  return [...text.matchAll(USES)].map(([, braced, , plain, bracketed]) => braced ?? plain ?? bracketed);
}

function write(variable, format) {
  const { name, all, allValue, chosen, options } = variable;
  if (format === 'queryparam') {
    const values = all ? [ALL] : chosen;
    return values.map((value) => `var-${name}=${encodeURIComponent(value)}`).join('&');
  }
  if (all && allValue) return allValue;
  const values = all ? options : chosen;
  if (format === 'percentencode') return encodeURIComponent(values.join(','));
  if (format !== 'regex' || !variable.multi) return values.join(',');
  const escaped = values.map((value) => value.replace(/[\\^$*+?.()|[\]{}]/g, '\\\\$&'));
  return escaped.length === 1 ? escaped[0] : `(${escaped.join('|')})`;
}
