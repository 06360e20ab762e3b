-- peers.lua - other servers in the table of `make bench`: what they do for a request of the same form is said by their names.
--
-- They are not installed on the machine: spec/bench/fetch-peers unpacks them in a folder, and what is not there is not measured.
--
--   PEERS=build/bench-peers    that folder
local Host = require "spec.support.host"
local measure = require "spec.bench.measure"
local shell = require "spec.support.shell"

local FOLDER = os.getenv("PEERS") or "build/bench-peers"

-- nginx ---------------------------------------------------------------------------------------------------------------------

-- Decodes the body, makes an answer of it and encodes that, and fills it up to the size of the host's: no row, no checks, no
-- masking, no log. One process has one core, and wrk the other.
local NGINX = [[
load_module ROOT/usr/lib/nginx/modules/ndk_http_module.so;
load_module ROOT/usr/lib/nginx/modules/ngx_http_lua_module.so;
master_process off;
daemon off;
pid nginx.pid;
error_log error.log warn;
events { worker_connections 1024; }
http {
  access_log off;
  keepalive_requests 1000;
  client_body_buffer_size 64k;
  client_body_temp_path 1; proxy_temp_path 2; fastcgi_temp_path 3; uwsgi_temp_path 4; scgi_temp_path 5;
  lua_package_path "ROOT/usr/share/lua/5.1/?.lua;;";
  lua_package_cpath "LIBRARIES/lua/5.1/?.so;;";
  init_by_lua_block { cjson = require "cjson" }
  server {
    listen 127.0.0.1:PORT backlog=1024;
    default_type application/json;
    location = /healthz { return 200; }
    location / { content_by_lua_block {
      ngx.req.read_body()
      local ok, job = pcall(cjson.decode, ngx.req.get_body_data() or "")
      if not ok or type(job) ~= "table" then return ngx.exit(400) end
      local answer = cjson.encode {
        id = "mock-1", status = "done", job = job, estimates = { unit = "image", quantity = 1 },
        upstream = { method = "POST", url = "https://api.example.com/v1/jobs", json = { input = job },
          headers = { Authorization = "Bearer ***", ["Content-Type"] = "application/json" } },
      }
      answer = '{"pad":"' .. ("x"):rep(BYTES - #answer) .. '",' .. answer:sub(2)
      ngx.header.content_length = #answer
      ngx.print(answer)
    } }
  }
}
]]

-- The shell says for it where it listens.
local function start_nginx(request, bytes)
  local root, port = shell.output("realpath " .. shell.quote(FOLDER)):match("[^\n]+"), measure.free_port()
  local libraries = shell.output("dirname " .. shell.quote(root) .. "/usr/lib/*/libluajit-5.1.so.2"):match("[^\n]+")
  local home = shell.output("mktemp -d"):match("[^\n]+")
  local words = { ROOT = root, LIBRARIES = libraries, PORT = port, BYTES = bytes }
  local file = assert(io.open(home .. "/nginx.conf", "w"))
  file:write((NGINX:gsub("%u+", words)))
  file:close()
  local command = 'echo "nginx listens on http://127.0.0.1:$2"; exec "$1/usr/sbin/nginx" -p "$3" -c nginx.conf -e stderr'
  local server = Host.start { program = "/bin/sh", arguments = { "-c", command, "sh", root, port, home }, config = "",
    env = { LD_LIBRARY_PATH = libraries .. ":" .. libraries:gsub("/usr/lib/", "/lib/") } }
  local remove = server.remove
  server.request = request
  function server:remove()
    remove(self)
    shell.run("rm -rf " .. shell.quote(home))
  end
  return server
end

-- aimock --------------------------------------------------------------------------------------------------------------------

-- Answers OpenAI's image API with a URL that was fixed before.
local function start_aimock()
  local server = Host.start { program = "/usr/bin/env", arguments = { "node", "spec/bench/aimock.mjs", FOLDER }, config = "" }
  server.request = { method = "POST", path = "/v1/images/generations",
    body = '{"model":"gpt-image-1","prompt":"a lighthouse at dusk, %d"}' }
  return server
end

local PEERS = {
  { name = "nginx with Lua", start = start_nginx,
    does = "decodes the body, makes an answer of that size of it and encodes it, no more; one process",
    file = "usr/lib/nginx/modules/ngx_http_lua_module.so" },
  { name = "aimock", start = start_aimock, does = "answers a request for an image with a fixed URL; node",
    file = "node_modules/@copilotkit/aimock/package.json" },
}

local peers = {}

--- { name, does, start(request, bytes) }: starts it for a request whose answer has so many bytes; a host (spec/support/host.lua)
--- with the request that it is sent. Without `start` it is not there.
function peers.all()
  local all = {}
  for i, peer in ipairs(PEERS) do
    all[i] = { name = peer.name, does = peer.does, start = shell.read(FOLDER .. "/" .. peer.file) and peer.start or nil }
  end
  return all
end

return peers
