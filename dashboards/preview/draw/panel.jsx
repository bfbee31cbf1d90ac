// One panel: its frame with a drawing, or with the reason why there is none.

import { ErrorBoundary, Icon, PanelChrome } from '@grafana/ui';

import { Heatmap } from './panels/heatmap.jsx';
import { Stat } from './panels/stat.jsx';
import { StateTimeline } from './panels/state-timeline.jsx';
import { Table } from './panels/table.jsx';
import { TimeSeries } from './panels/time-series.jsx';

const DRAWINGS = {
  heatmap: Heatmap,
  stat: Stat,
  'state-timeline': StateTimeline,
  table: Table,
  timeseries: TimeSeries,
};

export function Panel({ panel, board, theme, onError }) {
  const { type, title, description, place, problems, transparent } = panel;
  if (type === 'row') return <Row title={title} collapsed={panel.collapsed} />;
  return (
    <PanelChrome
      title={title}
      description={description}
      width={place.width}
      height={place.height}
      padding={type === 'table' ? 'none' : 'md'}
      displayMode={transparent ? 'transparent' : 'default'}
      statusMessage={problems.join('\n') || undefined}
    >
      {(width, height) => (
        <Guarded title={title} onError={onError}>
          <Inside panel={panel} board={board} theme={theme} width={width} height={height} />
        </Guarded>
      )}
    </PanelChrome>
  );
}

function Inside({ panel, ...rest }) {
  const { type, frames, problems, fieldConfig } = panel;
  if (problems.length) return <Words text={problems.join('\n')} bad {...rest} />;
  // Grafana draws a number without data, too: with the text for the empty case inside.
  if (!frames.length && type !== 'stat')
    return <Words text={fieldConfig?.defaults?.noValue ?? 'No data'} {...rest} />;
  const Drawing = DRAWINGS[type];
  return <Drawing panel={panel} {...rest} />;
}

function Words({ text, bad, width, height, theme }) {
  const color = bad ? theme.colors.error.text : theme.colors.text.secondary;
  return (
    <div
      style={{
        width,
        height,
        display: 'grid',
        placeItems: 'center',
        textAlign: 'center',
        overflow: 'hidden',
        whiteSpace: 'pre-line',
        color,
      }}
    >
      {text}
    </div>
  );
}

function Row({ title, collapsed }) {
  return (
    <div style={{ display: 'flex', alignItems: 'center', gap: 8, height: 30, fontWeight: 500, fontSize: 16 }}>
      <Icon name={collapsed ? 'angle-right' : 'angle-down'} />
      {title}
      {collapsed && ' (collapsed in Grafana, opened here)'}
    </div>
  );
}

function Guarded({ title, onError, children }) {
  return (
    <ErrorBoundary onError={(error) => onError(title, error)}>
      {({ error }) => (error ? <pre>{error.message}</pre> : children)}
    </ErrorBoundary>
  );
}
