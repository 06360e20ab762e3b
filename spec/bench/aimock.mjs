// aimock.mjs FOLDER - aimock with one image to answer with, until SIGTERM. FOLDER has its node_modules.
import { createRequire } from "node:module";
import { resolve } from "node:path";

const require = createRequire(resolve(process.argv[2]) + "/");
const { LLMock } = require("@copilotkit/aimock");

const mock = new LLMock({ port: 0, host: "127.0.0.1", logLevel: "silent" });
mock.onImage(/.*/, { image: { url: "https://example.com/lighthouse.png" } });
mock.mount("/healthz", {
  async handleRequest(request, response) {
    response.end();
    return true;
  },
});
process.on("SIGTERM", () => process.exit(0));
console.log(`aimock listens on ${await mock.start()}`);
