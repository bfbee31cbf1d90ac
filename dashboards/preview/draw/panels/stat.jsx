// Big numbers, one for each series.

import { VizOrientation, getDisplayValueAlignmentFactors } from '@grafana/data';
import { BigValue, VizRepeater } from '@grafana/ui';

import { valuesOf } from './values.js';

export function Stat({ panel, board, theme, width, height }) {
  const { colorMode, graphMode, justifyMode, orientation, textMode, wideLayout, text } = panel.options;
  const number = ({ value, count, width, height, alignmentFactors }) => (
    <BigValue
      value={value.display}
      sparkline={graphMode === 'none' ? undefined : value.sparkline}
      count={count}
      width={width}
      height={height}
      alignmentFactors={alignmentFactors}
      colorMode={colorMode}
      graphMode={graphMode}
      justifyMode={justifyMode}
      textMode={textMode}
      disableWideLayout={!wideLayout}
      text={text}
      theme={theme}
    />
  );
  return (
    <VizRepeater
      getValues={() => valuesOf(panel, board, theme)}
      getAlignmentFactors={getDisplayValueAlignmentFactors}
      renderValue={number}
      width={width}
      height={height}
      source={panel}
      renderCounter={0}
      autoGrid
      orientation={orientation === 'auto' ? VizOrientation.Auto : orientation}
    />
  );
}
