// What a run prints: a line for each dashboard, its pictures, and what is wrong or empty in them.

/** `pictures` are files with what the page that drew them reports about its panels. */
export function report({ title, panels, problems }, pictures) {
  const queries = panels.flatMap(({ answers }) => answers).length;
  const all = [...problems, ...pictures.flatMap((picture) => picture.problems)];
  const wrong = new Set(all.map(({ panel, text }) => `  wrong  ${panel}: ${text}`));
  const empty = new Set(pictures.flatMap((picture) => picture.empty).map((panel) => `  empty  ${panel}`));
  const lines = [
    `${title}: ${panels.length} panels, ${queries} queries, ${wrong.size} wrong, ${empty.size} empty`,
    ...pictures.map(({ file }) => `  ${file}`),
    ...wrong,
    ...empty,
  ];
  return { lines, failed: wrong.size > 0 };
}
