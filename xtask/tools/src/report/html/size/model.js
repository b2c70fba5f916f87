// An image as the views want it: its tree with parents, paths and weights, and a colour for each of its layers. No elements here.

/** Hues of the layers that are the image's own, in degrees: neighbours are far apart, also for most who confuse colours. */
const HUES = [195, 55, 290, 145, 20, 250, 95, 335, 170, 75];

/**
 * The model of an image of the report. A node of its tree is
 * `{id, name, path, bytes, files, layer, rest, parent, children, weight, tally}`: `children` is null for a file, `rest` says that
 * it stands for entries too small to be listed; `weight` and `tally` are how many of its bytes and files the filter lets through.
 */
function modelOf(image) {
  const model = { image, layers: colouredLayers(image.layers), nodes: [] };
  // Folders that hold nothing have no list of children, and the root is a folder.
  model.root = addNode(model, { children: [], ...image.directories }, null);
  weigh(model, null, "");
  return model;
}

/** Layers with a `hue`, the largest first so that these differ, or for layers of the base a `shade` of grey from 0 to 1. */
function colouredLayers(layers) {
  const bySize = layers.filter((layer) => layer.own).sort((a, b) => b.content_bytes - a.content_bytes);
  const hue = (layer) => HUES[bySize.indexOf(layer) % HUES.length];
  const base = layers.filter((layer) => !layer.own);
  const shade = (layer) => (base.length > 1 ? base.indexOf(layer) / (base.length - 1) : 0.5);
  return layers.map((layer) => (layer.own ? { ...layer, hue: hue(layer) } : { ...layer, shade: shade(layer) }));
}

function addNode(model, from, parent) {
  const path = parent === null ? "/" : `${parent.parent === null ? "" : parent.path}/${from.name}`;
  const { name, bytes, files = 1, layer = null, rest = false } = from;
  const node = { id: model.nodes.length, name, path, bytes, files, layer, rest, parent, children: null };
  model.nodes.push(node);
  if (from.children) {
    node.children = from.children.map((child) => addNode(model, child, node));
  }
  return node;
}

/** The layer of this index; null if there is none. */
function layerOf(model, index) {
  return model.layers.find((layer) => layer.index === index) ?? null;
}

/**
 * Weighs every node by what a filter lets through: a layer (null for all) and a text that its path, or that of a folder above
 * it, must hold. What the tree does not tell apart counts for no layer. Sets `layer` of folders to the one most of it is from.
 */
function weigh(model, layer, query) {
  const wanted = query.toLowerCase();
  const visit = (node, within) => {
    const named = within || node.path.toLowerCase().includes(wanted);
    if (node.children === null) {
      const passes = named && (layer === null || node.layer === layer);
      [node.weight, node.tally] = passes ? [node.bytes, node.files] : [0, 0];
      return;
    }
    for (const child of node.children) visit(child, named);
    node.weight = total(node.children, "weight");
    node.tally = total(node.children, "tally");
    node.layer = mostOf(node.children);
  };
  visit(model.root, wanted === "");
}

/** The sum of what nodes have of something. */
function total(nodes, key) {
  return nodes.reduce((sum, node) => sum + node[key], 0);
}

/** The layer that most bytes are from; null where they are from none in particular. */
function mostOf(nodes) {
  const sums = new Map();
  for (const node of nodes) sums.set(node.layer, (sums.get(node.layer) ?? 0) + node.weight);
  const [most] = [...sums].sort((a, b) => b[1] - a[1]);
  return most ? most[0] : null;
}

/** The children that the filter lets through, the heaviest first. */
function entries(node) {
  return (node.children ?? []).filter((child) => child.weight > 0).sort((a, b) => b.weight - a.weight);
}

/** Where a chain of folders that hold nothing but one folder ends. */
function chainEnd(node) {
  for (let end = node; ; ) {
    const [only, other] = entries(end);
    if (!only || other || only.children === null) return end;
    end = only;
  }
}

/** The nearest folder above in which there is something to choose. */
function above(node) {
  let up = node.parent;
  while (up?.parent && entries(up).length < 2) up = up.parent;
  return up;
}

/** The node of a path, or of the nearest folder above it that the tree lists. */
function nearest(model, path) {
  let node = model.root;
  for (const name of path.split("/").filter((part) => part !== "")) {
    const next = node.children?.find((child) => child.name === name && !child.rest);
    if (!next) break;
    node = next;
  }
  return node;
}
