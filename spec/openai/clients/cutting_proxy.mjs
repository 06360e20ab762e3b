// A reverse proxy between clients and the host that does to requests what networks do, each with its own fate.
//
//   const proxy = await cuttingProxy({ target, fate: (request) => "pass", note: (request, fate) => {}, told: (status, body) => {} });
//   proxy.port; proxy.close();
//
// `request` is { path, body, count }: the body as text, the count as the client's X-Stainless-Retry-Count, or -1.
import http from "node:http";

export const FATES = {
  pass: "nothing happens",
  before: "cut before the host hears of it",
  within: "cut while the host works on it: the host sees it",
  silent: "cut while the host works on it: the host does not see it, the proxy takes the answer",
  head: "cut when the answer begins, and the host's connection with it",
  half: "half of the answer arrives, the host's connection is reset",
  lost: "the proxy takes all of the answer, and none of it arrives",
  gateway: "the proxy answers 504 while the host works on it, and leaves the host",
  careless: "the proxy answers 504 while the host works on it, and takes the host's answer later",
  torn: "half of the answer arrives after the proxy has taken all of it",
};

function cut(socket) {
  if (!socket.destroyed) socket.resetAndDestroy();
}

function answerHead(request, from, response) {
  const headers = { ...from.headers };
  delete headers.connection;
  delete headers["keep-alive"];
  response.writeHead(from.statusCode, headers);
}

function forward(options, request, body) {
  return http.request({
    host: "127.0.0.1", port: options.target(), method: request.method, path: request.url, agent: options.agent,
    headers: { ...request.headers, host: "127.0.0.1:" + options.target(), connection: "keep-alive", "content-length": body.length },
  });
}

// What is done with the host's answer, by fate; `all` is given when it is there.
const answered = {
  pass(client, from, chunks) {
    answerHead(client.request, from, client.response);
    client.response.end(Buffer.concat(chunks));
  },
  lost: (client) => cut(client.socket),
  silent: () => {},
  careless: () => {},
  torn(client, from, chunks) {
    answerHead(client.request, from, client.response);
    const all = Buffer.concat(chunks);
    client.response.write(all.subarray(0, all.length >> 1), () => cut(client.socket));
  },
};

function takeAnswer(options, fate, client, from) {
  const chunks = [];
  if (fate === "head") {
    cut(client.socket);
    cut(from.socket);
    return;
  }
  if (fate === "half") {
    answerHead(client.request, from, client.response);
    from.once("data", (chunk) => {
      client.response.write(chunk.subarray(0, chunk.length >> 1), () => cut(client.socket));
      cut(from.socket);
    });
    from.on("error", () => {});
    return;
  }
  from.on("data", (chunk) => chunks.push(chunk));
  from.on("error", () => cut(client.socket));
  from.on("end", () => {
    options.told(from.statusCode, Buffer.concat(chunks));
    answered[fate](client, from, chunks);
  });
}

function run(options, fate, client, body) {
  if (fate === "before") return cut(client.socket);
  const upstream = forward(options, client.request, body);
  const known = fate === "within" || fate === "gateway" ? "pass" : fate;
  upstream.on("response", (from) => takeAnswer(options, known, client, from));
  upstream.on("error", () => cut(client.socket)); // the host is down, or was killed
  upstream.end(body);
  const later = options.delay();
  const leave = () => (upstream.socket ? cut(upstream.socket) : upstream.destroy());
  const refuse = () => {
    client.response.writeHead(504, { "content-type": "text/html" });
    client.response.end("<html>gateway timeout</html>");
  };
  const happens = {
    within: () => { cut(client.socket); leave(); },
    silent: () => cut(client.socket),
    gateway: () => { refuse(); leave(); },
    careless: refuse,
  }[fate];
  if (happens) setTimeout(() => { if (!client.response.headersSent && !client.socket.destroyed) happens(); }, later);
  // as proxies do: a client that leaves takes its connection to the host with it, unless its fate says otherwise
  client.response.once("close", () => {
    if (known === "pass" && !client.response.writableFinished) leave();
  });
}

export function cuttingProxy(given) {
  const options = { delay: () => 30, note: () => {}, told: () => {}, agent: new http.Agent({ keepAlive: true, maxSockets: Infinity }), ...given };
  const server = http.createServer((request, response) => {
    const parts = [];
    request.on("error", () => {});
    response.on("error", () => {});
    request.on("data", (part) => parts.push(part));
    request.on("end", () => {
      const body = Buffer.concat(parts);
      const count = Number(request.headers["x-stainless-retry-count"] ?? -1);
      const seen = { path: request.url, body: body.toString("latin1"), count };
      const fate = options.fate(seen);
      options.note(seen, fate);
      run(options, fate, { request, response, socket: request.socket }, body);
    });
  });
  server.on("clientError", (error, socket) => socket.destroy());
  return new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve({
    port: server.address().port,
    close: () => { server.closeAllConnections(); server.close(); options.agent.destroy(); },
  })));
}
