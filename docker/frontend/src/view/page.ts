// What every page is to the shell that shows it. The pages themselves live beside it.

import type { Client } from "../api/client";

/** A page on display. */
export interface View {
  /** For the document's title. */
  readonly title: string;
  readonly element: HTMLElement;
  /** Ends what the page keeps running; called once, when another page takes its place. */
  dispose(): void;
}

/** What a page is given to work with. */
export interface PageContext {
  readonly client: Client;
}
