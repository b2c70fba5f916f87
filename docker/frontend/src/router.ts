// Which page a path means, and moving between pages without loading the document again. It draws nothing.

/** A page of the application. */
export type Page = "status" | "sessions" | "not-found";

const PAGES: ReadonlyMap<string, Page> = new Map([
  ["/", "status"],
  ["/sessions", "sessions"],
]);

/** The page that a path means; a trailing slash makes no difference. */
export function pageAt(path: string): Page {
  return PAGES.get(path.replace(/\/+$/, "") || "/") ?? "not-found";
}

/**
 * Calls `show` with the current path now and after every navigation, and turns clicks on links of this application into
 * navigations. Clicks that ask for a new tab, and links elsewhere, are left to the browser.
 */
export function startRouter(show: (path: string, isFirst: boolean) => void): void {
  document.addEventListener("click", (event) => {
    const link = event.target instanceof Element ? event.target.closest("a") : null;
    if (link === null || !isPlainClick(event) || !isOwnLink(link)) return;
    event.preventDefault();
    if (link.pathname !== location.pathname) history.pushState(null, "", link.pathname);
    show(link.pathname, false);
  });
  window.addEventListener("popstate", () => show(location.pathname, false));
  show(location.pathname, true);
}

function isPlainClick(event: MouseEvent): boolean {
  const hasModifier = event.metaKey || event.ctrlKey || event.shiftKey || event.altKey;
  return event.button === 0 && !hasModifier && !event.defaultPrevented;
}

function isOwnLink(link: HTMLAnchorElement): boolean {
  const isFragment = link.hash !== "" && link.pathname === location.pathname;
  return link.origin === location.origin && link.target === "" && !link.hasAttribute("download") && !isFragment;
}
