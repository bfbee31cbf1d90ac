// Grafana fills these lists when it starts; its components find nothing without them.

import {
  FieldConfigOptionsRegistry,
  standardFieldConfigEditorRegistry,
  standardTransformers,
  standardTransformersRegistry,
} from '@grafana/data';

const PROPERTIES = [
  'color',
  'decimals',
  'description',
  'displayName',
  'fieldMinMax',
  'filterable',
  'links',
  'mappings',
  'max',
  'min',
  'noValue',
  'thresholds',
  'unit',
];

export function register() {
  const byId = new Map(
    Object.values(standardTransformers).map((transformation) => [transformation.id, transformation]),
  );
  const items = [...byId.values()].map((transformation) => ({
    id: transformation.id,
    name: transformation.name,
    transformation,
  }));
  standardTransformersRegistry.setInit(() => items);
  standardFieldConfigEditorRegistry.setInit(() => PROPERTIES.map(property));
}

/** What the fields of a panel may set: the properties of all panels, and every `custom.*` that this one names. */
export function propertiesOf({ defaults = {}, overrides = [] }) {
  const changed = overrides.flatMap(({ properties }) => properties.map(({ id }) => id));
  const named = changed.filter((id) => id.startsWith('custom.')).map((id) => id.slice('custom.'.length));
  const custom = [...new Set([...Object.keys(defaults.custom ?? {}), ...named])];
  const items = custom.map((path) => ({ ...property(path), id: `custom.${path}`, isCustom: true }));
  return new FieldConfigOptionsRegistry(() => [...PROPERTIES.map(property), ...items]);
}

function property(id) {
  return { id, path: id, name: id, process: (value) => value, shouldApply: () => true };
}
