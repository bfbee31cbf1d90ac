// The buckets of a classic histogram: cumulative in Prometheus, separate in a heat map.

/** Series by rising `le`, each less the one below. */
export function buckets(series) {
  const sorted = [...series].sort((a, b) => bound(a) - bound(b));
  return sorted.map((one, place) => (place ? less(one, sorted[place - 1]) : one));
}

function bound({ labels }) {
  return Number(labels.le.replace('Inf', 'Infinity'));
}

function less({ labels, points }, below) {
  const counts = new Map(below.points);
  return {
    labels,
    points: points.map(([time, count]) => [time, `${Math.max(0, count - (counts.get(time) ?? 0))}`]),
  };
}
