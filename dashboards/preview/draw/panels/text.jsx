// Words of the board's author.

import { renderMarkdown } from '@grafana/data';

export function Text({ panel, height }) {
  const { content = '', mode } = panel.options;
  const html = mode === 'html' ? content : renderMarkdown(content);
  return (
    <div
      className="markdown-html"
      style={{ height, overflow: 'hidden' }}
      dangerouslySetInnerHTML={{ __html: html }}
    />
  );
}
