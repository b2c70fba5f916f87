// Where tiles are, which one lies beside another, and the picture's motion when it is zoomed.

/** How long a zoom takes, in milliseconds. */
const ZOOM_TIME = 280;

/** The middle of an element on the screen. */
function middle(element) {
  const box = element.getBoundingClientRect();
  return { x: box.x + box.width / 2, y: box.y + box.height / 2 };
}

/** The box, relative to the canvas, of the tile of a node or of what it lies in; null where no tile shows either. */
function boxOf(canvas, node) {
  for (let at = node; at; at = at.parent) {
    const tile = canvas.querySelector(`[data-node="${at.id}"]`);
    if (!tile) continue;
    const [box, whole] = [tile.getBoundingClientRect(), canvas.getBoundingClientRect()];
    return { x: box.x - whole.x, y: box.y - whole.y, w: box.width, h: box.height };
  }
  return null;
}

/** Lets the picture grow out of a box. */
function zoomIn(canvas, box) {
  const { clientWidth: w, clientHeight: h } = canvas;
  move(canvas, `translate(${box.x}px, ${box.y}px) scale(${box.w / w}, ${box.h / h})`);
}

/** Lets the picture shrink until what filled it is a box of it. */
function zoomOut(canvas, box) {
  if (!box || box.w < 1 || box.h < 1) return;
  const { clientWidth: w, clientHeight: h } = canvas;
  move(canvas, `scale(${w / box.w}, ${h / box.h}) translate(${-box.x}px, ${-box.y}px)`);
}

/** Whether the person wants things to stay still. */
function isStill() {
  return matchMedia("(prefers-reduced-motion: reduce)").matches;
}

function move(canvas, transform) {
  if (isStill()) return;
  const from = { transform, transformOrigin: "0 0", opacity: 0.3 };
  canvas.animate([from, { transform: "none", transformOrigin: "0 0", opacity: 1 }], {
    duration: ZOOM_TIME,
    easing: "cubic-bezier(.2,.7,.2,1)",
  });
}

/** The tile to which a key leads from another: by arrows the nearest on that side, by Home and End the first and the last. */
function neighbour(key, tile, tiles) {
  if (key === "Home") return tiles[0];
  if (key === "End") return tiles[tiles.length - 1];
  const distance = DISTANCES[key];
  if (!distance) return null;
  const from = tile.getBoundingClientRect();
  const far = (other) => distance(from, other.getBoundingClientRect());
  const reachable = tiles.filter((other) => other !== tile && Number.isFinite(far(other)));
  return reachable.sort((a, b) => far(a) - far(b))[0] ?? tile;
}

/** How far one box is from another to a side; infinite where it is not on that side. */
const DISTANCES = {
  ArrowRight: (from, to) => apart(to.left - from.right, from.top, from.bottom, to.top, to.bottom),
  ArrowLeft: (from, to) => apart(from.left - to.right, from.top, from.bottom, to.top, to.bottom),
  ArrowDown: (from, to) => apart(to.top - from.bottom, from.left, from.right, to.left, to.right),
  ArrowUp: (from, to) => apart(from.top - to.bottom, from.left, from.right, to.left, to.right),
};

/** The gap ahead, and three times what one would have to go sideways; what begins level with `from` is nearest among equals. */
function apart(gap, fromStart, fromEnd, toStart, toEnd) {
  if (gap < -1) return Infinity;
  const sideways = Math.max(0, toStart - fromEnd, fromStart - toEnd);
  return gap + 3 * sideways + Math.abs(fromStart - toStart) / 1000;
}
