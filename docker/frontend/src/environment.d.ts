// The build-time variables that this application reads. Vite puts their values into the bundle.

interface ImportMetaEnv {
  /** The API's address, fixed at build time; the run-time configuration wins over it. */
  readonly VITE_API_BASE_URL?: string;
}
