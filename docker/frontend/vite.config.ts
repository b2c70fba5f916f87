// How the page is built and served in development. What the development server answers beside the page lives in dev/.

import { defineConfig } from "vitest/config";
import { stackEndpoints } from "./dev/stack-endpoints";

const backend = process.env.BACKEND_UPSTREAM || "http://backend:3000";

export default defineConfig({
  // All that the page is made of is in one folder, which development mounts: a single mounted file would not follow editors that
  // replace it.
  root: "src",
  plugins: [stackEndpoints(process.env)],
  build: {
    outDir: "../dist",
    emptyOutDir: true,
    // The content security policy allows neither data: images nor inline scripts.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  // No dependency reaches the browser, and looking for some would write into node_modules.
  optimizeDeps: { noDiscovery: true },
  server: {
    // The production image's port, so that one probe and one published port fit both targets.
    port: 8080,
    strictPort: true,
    // The service's own name, for probes and proxies inside the stack; loopback and addresses are always allowed.
    allowedHosts: ["frontend"],
    // File events do not cross every kind of bind mount (virtual machines, network shares); polling does.
    watch: { usePolling: true, interval: 300 },
    proxy: { "/api": { target: backend, xfwd: true } },
  },
  test: { root: ".", environment: "node", restoreMocks: true },
});
