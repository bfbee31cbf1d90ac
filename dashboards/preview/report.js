// What a run prints: one line for each picture, then what is wrong or empty in it.

/** `drawn` is what the page says about its panels. */
export function report(file, { panels, problems }, drawn) {
  const all = [...problems, ...drawn.problems];
  const queries = panels.flatMap(({ answers }) => answers);
  const lines = [
    `${file}: ${panels.length} panels, ${queries.length} queries, ${all.length} problems, ${drawn.empty.length} empty`,
    ...all.map(({ panel, text }) => `  wrong  ${panel}: ${text}`),
    ...drawn.empty.map((panel) => `  empty  ${panel}`),
  ];
  return { lines, failed: all.length > 0 };
}
