// The elements of a treemap: a tile for each entry of a folder, with the tiles of its own entries inside where there is room.
// How they are moved along and zoomed is the treemap's business.

/** The least sides, in pixels, of a folder that is shown open, and of one that is shown with its name above. */
const OPEN = { w: 34, h: 26 };
const HEADED = { w: 52, h: 40 };

/** The height of a folder's name, and the space around what is inside, in pixels. */
const HEAD = 19;
const INSET = 2;

/** The least area of a tile in square pixels; what would be smaller is drawn together. */
const SPECK = 50;

/** The least width of an open folder that says its size beside its name. */
const WEIGHED = 104;

/** The least sides of a tile that says its name, and of one that says its size too. */
const NAMED = { w: 34, h: 17 };
const SIZED = { w: 50, h: 34 };

/** How much lighter tiles are than their layer's colour, in turn, so that neighbours of one layer are told apart. */
const TONES = [0, 0.014, -0.014, 0.007, -0.007];

/** The tiles of a folder's entries in an area. Those of the first level carry `.tile-first`. */
function tilesOf(model, folder, area, level = 1) {
  return squarify(visibleEntries(folder, area), area).map((box) => tile(model, box, level));
}

/** The entries that are large enough to be seen, and one that stands for all others. */
function visibleEntries(folder, area) {
  const all = entries(folder);
  const least = (folder.weight * SPECK) / (area.w * area.h);
  const large = all.filter((node) => node.weight >= least);
  const small = all.slice(large.length);
  if (small.length < 2) return all;
  return [...large, together(folder, small)].sort((a, b) => b.weight - a.weight);
}

/** One node that stands for several of a folder's entries. */
function together(folder, nodes) {
  const sums = { weight: total(nodes, "weight"), tally: total(nodes, "tally"), layer: mostOf(nodes) };
  return { ...sums, id: null, name: "…", path: `${folder.path}/…`, rest: true, parent: folder, children: null };
}

function tile(model, box, level) {
  const { item, w, h } = box;
  const opens = item.children !== null && w >= OPEN.w && h >= OPEN.h;
  const kind = item.rest ? "rest" : opens ? "open" : item.children ? "closed" : "file";
  const element = el("div", {
    class: `tile tile-${kind}${level === 1 ? " tile-first" : ""}${level % 2 === 0 ? " tile-even" : ""}`,
    style: {
      left: `${box.x}px`,
      top: `${box.y}px`,
      width: `${w}px`,
      height: `${h}px`,
      ...paint(layerOf(model, item.layer)),
      "--tone": TONES[(item.id ?? 0) % TONES.length],
    },
    ...(item.id === null ? {} : { "data-node": item.id }),
  });
  tileNode.set(element, item);
  if (opens) element.append(...inside(model, item, box, level));
  else element.append(...labels(item, box));
  return element;
}

/** The node that a tile stands for. */
const tileNode = new WeakMap();

/** What an open folder holds: its name, and the tiles of the first folder in which there is something to choose. */
function inside(model, item, { w, h }, level) {
  const headed = w >= HEADED.w && h >= HEADED.h;
  const top = headed ? HEAD : INSET;
  const area = { x: INSET, y: top, w: w - 2 * INSET - 1, h: h - top - INSET - 1 };
  const size = w >= WEIGHED ? el("i", {}, bytes(item.weight)) : null;
  const head = headed ? [el("span", { class: "tile-head" }, el("b", {}, visible(nameOf(item))), size)] : [];
  return [...head, ...tilesOf(model, chainEnd(item), area, level + 1)];
}

/** What an entry is called: a chain of folders by all their names. */
function nameOf(node) {
  return node.name + chainEnd(node).path.slice(node.path.length);
}

function labels(item, { w, h }) {
  if (w < NAMED.w || h < NAMED.h) return [];
  const name = item.rest ? count(item.tally, "more file") : visible(item.name);
  const size = w >= SIZED.w && h >= SIZED.h ? [el("span", { class: "tile-size" }, bytes(item.weight))] : [];
  return [el("span", { class: "tile-name" }, name), ...size];
}

/** The style that colours something by a layer; null is no layer in particular. */
function paint(layer) {
  if (!layer) return { "--paint": "var(--mixed)" };
  return layer.own
    ? { "--hue": layer.hue, "--paint": "var(--own)" }
    : { "--shade": layer.shade.toFixed(3), "--paint": "var(--base)" };
}
