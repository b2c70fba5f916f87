// D4 and the other settings: what the environment changes, and what is refused before nginx starts.

import { afterEach, expect, test } from "vitest";
import { ask } from "./http";
import { type Nginx, startNginx } from "./nginx";

let nginx: Nginx | undefined;
afterEach(async () => {
  await nginx?.stop();
  nginx = undefined;
});

async function started(
  environment: NodeJS.ProcessEnv,
): Promise<{ apiBaseUrl: string; connectSrc: string | undefined }> {
  nginx = await startNginx({ environment });
  const answer = await ask(nginx.port, "/config.json");
  const policy = String(answer.headers["content-security-policy"]);
  return { ...JSON.parse(String(answer.body)), connectSrc: /connect-src ([^;]*);/.exec(policy)?.[1] };
}

test.each([
  [{}, "", "'self'"],
  [{ API_BASE_URL: "/v1" }, "/v1", "'self'"],
  [{ API_BASE_URL: "https://api.example:8443/v1" }, "https://api.example:8443/v1", "'self' https://api.example:8443"],
  [{ BUILT_API_BASE_URL: "https://built.example" }, "", "'self' https://built.example"],
  [
    { API_BASE_URL: "http://run.example", BUILT_API_BASE_URL: "https://built.example" },
    "http://run.example",
    "'self' http://run.example",
  ],
  [{ API_BASE_URL: "/", BUILT_API_BASE_URL: "https://built.example" }, "/", "'self'"],
])("%j", async (environment, apiBaseUrl, connectSrc) => {
  expect(await started(environment)).toEqual({ apiBaseUrl, connectSrc });
});

test("other variables of the environment do not leak into the configuration", async () => {
  expect((await started({ uri: "/wrong", host: "wrong", status: "999" })).connectSrc).toBe("'self'");
  expect((await ask((nginx as Nginx).port, "/sessions")).status).toBe(200);
});

test.each([
  ["API_BASE_URL", "api.example"],
  ["API_BASE_URL", "//api.example"],
  ["API_BASE_URL", "https://"],
  ["API_BASE_URL", 'https://a.example","x":"'],
  ["API_BASE_URL", "https://a.example; script-src *"],
  ["API_BASE_URL", "/a\nreturn 200;"],
  ["BUILT_API_BASE_URL", "ftp://a.example"],
  ["BACKEND_UPSTREAM", "backend:3000"],
  ["BACKEND_UPSTREAM", "http://"],
  ["BACKEND_UPSTREAM", "http://backend:3000/"],
  ["BACKEND_UPSTREAM", "http://$host"],
])("%s=%j is refused by name", async (name, value) => {
  await expect(started({ [name]: value })).rejects.toThrow(`frontend: \`${name}\` is \`${value}\`, but must be`);
});
