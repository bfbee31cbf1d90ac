// Bars, one for each series.

import { VizOrientation, getDisplayValueAlignmentFactors } from '@grafana/data';
import { BarGauge as Bar, VizRepeater } from '@grafana/ui';

import { valuesOf } from './values.js';

export function BarGauge({ panel, board, theme, width, height }) {
  const { displayMode, namePlacement, orientation, showUnfilled, valueMode, text } = panel.options;
  const bar = ({ value, width, height, orientation, alignmentFactors }) => (
    <Bar
      value={value.display}
      field={value.field}
      display={value.view?.getFieldDisplayProcessor(value.colIndex)}
      width={width}
      height={height}
      orientation={orientation}
      alignmentFactors={alignmentFactors}
      displayMode={displayMode}
      namePlacement={namePlacement}
      showUnfilled={showUnfilled}
      valueDisplayMode={valueMode}
      text={text}
      theme={theme}
    />
  );
  return (
    <VizRepeater
      getValues={() => valuesOf(panel, board, theme)}
      getAlignmentFactors={getDisplayValueAlignmentFactors}
      renderValue={bar}
      width={width}
      height={height}
      source={panel}
      renderCounter={0}
      itemSpacing={8}
      orientation={orientation === 'auto' ? VizOrientation.Auto : orientation}
    />
  );
}
