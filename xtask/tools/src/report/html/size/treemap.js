// The treemap: draws a folder, zooms into what is clicked or entered, and is moved along by the arrow keys.
// What a zoom means for the rest of the page is told to `onZoom`; tiles and motion are made elsewhere.

/** A treemap in an element. `onZoom(folder)` is called for the folder that a person asks for. */
function treemap(host, onZoom) {
  const canvas = el("div", { class: "canvas" });
  const tip = tooltip();
  fill(host, canvas, tip.element);
  let model = null;
  let folder = null;

  const firsts = () => [...canvas.querySelectorAll(":scope > .tile")];
  const tileOf = (node) => firsts().find((tile) => isWithin(node, tileNode.get(tile)));

  function draw() {
    const area = { x: 0, y: 0, w: canvas.clientWidth, h: canvas.clientHeight };
    const tiles = folder.weight > 0 && area.w > 0 ? tilesOf(model, folder, area) : [];
    for (const [position, tile] of tiles.entries()) present(tile, folder, position, tiles.length);
    fill(canvas, tiles.length > 0 ? tiles : el("p", { class: "nothing" }, emptiness(model)));
    tip.hide();
  }

  /** Draws a folder. The picture grows out of the tile that was it, or shrinks into the tile that becomes it. */
  function show(nextModel, nextFolder) {
    const before = model === nextModel && folder !== nextFolder ? folder : null;
    const focused = canvas.contains(document.activeElement);
    const from = before && boxOf(canvas, nextFolder);
    [model, folder] = [nextModel, nextFolder];
    draw();
    if (from) zoomIn(canvas, from);
    else if (before) zoomOut(canvas, boxOf(canvas, before));
    if (focused) focus((before && tileOf(before)) ?? firsts()[0]);
  }

  /** Draws without motion what is shown next: other things than before may be in it. */
  function forget() {
    model = null;
  }

  function focus(tile) {
    if (!tile) return;
    firsts().forEach((other) => {
      other.tabIndex = other === tile ? 0 : -1;
    });
    tile.focus({ preventScroll: true });
  }

  /** Zooms into a folder, or the one that holds a file; a file of the folder on view is only told about. */
  function enter(node, point) {
    const into = node.children ? chainEnd(node) : node.parent;
    if (into === folder) tip.show(model, node, point);
    else onZoom(into);
  }

  /** Zooms out, if anything is above. */
  function leave() {
    const out = above(folder);
    if (out) onZoom(out);
  }

  function press(event) {
    const tile = event.target.closest(".tile-first");
    if (!tile || event.altKey || event.ctrlKey || event.metaKey) return;
    const move = neighbour(event.key, tile, firsts());
    if (["Enter", " "].includes(event.key)) enter(tileNode.get(tile), middle(tile));
    else if (["Escape", "Backspace"].includes(event.key)) leave();
    else if (move) focus(move);
    else return;
    event.preventDefault();
  }

  canvas.addEventListener("keydown", press);
  canvas.addEventListener("click", (event) => {
    const tile = event.target.closest(".tile");
    if (!tile) return;
    focus(event.target.closest(".tile-first"));
    enter(tileNode.get(tile), { x: event.clientX, y: event.clientY });
  });
  canvas.addEventListener("pointermove", (event) => {
    const tile = event.pointerType === "touch" ? null : event.target.closest(".tile");
    if (tile) tip.show(model, tileNode.get(tile), { x: event.clientX, y: event.clientY });
  });
  canvas.addEventListener("pointerleave", tip.hide);
  canvas.addEventListener("focusout", tip.hide);
  canvas.addEventListener("focusin", (event) => {
    const tile = event.target.closest(".tile-first:focus-visible");
    if (tile) tip.show(model, tileNode.get(tile), middle(tile));
  });
  new ResizeObserver(() => folder && draw()).observe(canvas);

  return { show, redraw: () => folder && draw(), forget, focusOn: (node) => focus(tileOf(node)) };
}

/** Makes a tile of the first level an item of the tree. What is inside is its picture and is not read out. */
function present(tile, folder, position, size) {
  const node = tileNode.get(tile);
  const what = node.children ? `folder, ${count(node.tally, "file")}` : node.rest ? "smaller entries" : "file";
  const label = [
    visible(nameOf(node)),
    what,
    bytes(node.weight),
    `${percent(node.weight, folder.weight)} of ${visible(folder.path)}`,
  ];
  const attributes = { role: "treeitem", "aria-level": 1, "aria-posinset": position + 1, "aria-setsize": size };
  for (const [key, value] of Object.entries(attributes)) tile.setAttribute(key, value);
  tile.setAttribute("aria-label", label.join(", "));
  tile.tabIndex = position === 0 ? 0 : -1;
  for (const child of tile.children) child.setAttribute("aria-hidden", "true");
}

/** Whether a node is another, or lies in it. */
function isWithin(node, other) {
  for (let at = node; at; at = at.parent) if (at === other) return true;
  return false;
}

/** Why there is nothing to draw. */
function emptiness(model) {
  return model.root.bytes === 0 ? "This image has no files." : "The filter lets nothing through.";
}
