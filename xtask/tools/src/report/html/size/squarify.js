// The squarified layout of a treemap (Bruls, Huizing, van Wijk 2000): areas in proportion to weights, sides near one another.
// Pure: numbers in, numbers out.

/**
 * Lays items out in a rectangle `{x, y, w, h}`. Items carry a positive `weight` and come heaviest first; each is given back as
 * `{item, x, y, w, h}`.
 */
function squarify(items, area) {
  const placed = [];
  const total = items.reduce((sum, item) => sum + item.weight, 0);
  const scale = total > 0 ? (area.w * area.h) / total : 0;
  let free = area;
  for (let from = 0; from < items.length; ) {
    const side = Math.min(free.w, free.h);
    let to = from + 1;
    let sum = items[from].weight * scale;
    let ratio = worst(sum, sum, sum, side);
    while (to < items.length) {
      const grown = sum + items[to].weight * scale;
      const next = worst(items[from].weight * scale, items[to].weight * scale, grown, side);
      if (next > ratio) break;
      [sum, ratio, to] = [grown, next, to + 1];
    }
    free = placeRow(items.slice(from, to), scale, sum, free, placed);
    from = to;
  }
  return placed;
}

/** The worst ratio of sides in a row of areas from `largest` to `smallest` that add up to `sum`, along this side. */
function worst(largest, smallest, sum, side) {
  const square = side * side;
  return Math.max((square * largest) / (sum * sum), (sum * sum) / (square * smallest));
}

/** Places a row along the shorter side; gives what stays free. */
function placeRow(items, scale, sum, free, placed) {
  const { x, y, w, h } = free;
  const upright = w >= h;
  const thick = sum > 0 ? Math.min(upright ? w : h, sum / (upright ? h : w)) : 0;
  let at = upright ? y : x;
  for (const item of items) {
    const long = thick > 0 ? (item.weight * scale) / thick : 0;
    placed.push(upright ? { item, x, y: at, w: thick, h: long } : { item, x: at, y, w: long, h: thick });
    at += long;
  }
  return upright ? { x: x + thick, y, w: w - thick, h } : { x, y: y + thick, w, h: h - thick };
}
