// What a person has chosen: image, folder, layer, search. It is kept in the address after `#`, so that going back zooms out and
// a link leads to what was seen.

/** The choice that the address holds. */
function chosen() {
  const held = new URLSearchParams(location.hash.slice(1));
  const number = (key) => (/^\d+$/.test(held.get(key) ?? "") ? Number(held.get(key)) : null);
  return {
    image: number("image") ?? 0,
    path: held.get("path") ?? "/",
    layer: number("layer"),
    query: held.get("search") ?? "",
  };
}

/** Changes the choice. `quietly` adds no step to go back to. */
function choose(change, quietly = false) {
  const { image, path, layer, query } = { ...chosen(), ...change };
  const held = new URLSearchParams();
  if (image !== 0) held.set("image", image);
  if (path !== "/") held.set("path", path);
  if (layer !== null) held.set("layer", layer);
  if (query !== "") held.set("search", query);
  const address = `#${held}`;
  if (address === (location.hash || "#")) return;
  if (quietly) history.replaceState(null, "", address);
  else history.pushState(null, "", address);
}
